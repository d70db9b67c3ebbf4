// What the checks stand on: a browser that notes whatever it should not do, lines that say what holds, and
// a way to ask for things to happen in the network.

import { createInterface } from "node:readline";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** Nothing that works takes longer, on a machine that does other things too. */
export const SOON = 20_000;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks whoever started this for something, and returns the reply. */
export async function please(words) {
  console.log(`please ${words}`);
  const { value, done } = await lines.next();
  if (done) throw new Error(`nobody answers to: ${words}`);
  return value;
}

export class Harness {
  failures = [];
  /** What a page said or asked for that it should not have. */
  complaints = [];
  #browser;

  constructor(base, token, screenshots) {
    Object.assign(this, { base, token, screenshots });
  }

  async open() {
    await mkdir(this.screenshots, { recursive: true });
    this.#browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  }

  async close() {
    await this.#browser.close();
  }

  /** Runs a check, and says in a line whether it holds. The others go on. */
  async check(name, work) {
    const start = performance.now();
    try {
      const told = await work();
      console.log(`ok     ${name}${told ? `: ${told}` : ""} (${Math.round(performance.now() - start)} ms)`);
    } catch (error) {
      this.failures.push(name);
      console.log(`FAILED ${name}: ${error.stack ?? error}`);
      await this.#current?.screenshot({ path: join(this.screenshots, `failed-${this.failures.length}.png`) }).catch(() => {});
    }
  }

  #current;

  /** A page, logged in unless said otherwise, as somebody else would have it. */
  async page({ hash = "#/", loggedIn = true, base = this.base, viewport = { width: 1280, height: 900 }, watched = true, ...options } = {}) {
    const context = await this.#browser.newContext({ viewport, acceptDownloads: true, ...options });
    context.setDefaultTimeout(SOON);
    if (loggedIn) {
      const here = new URL(base).origin;
      await context.addInitScript(
        ([origin, token]) => location.origin === origin && sessionStorage.setItem("bwmon.token", token),
        [here, this.token],
      );
    }
    const page = await context.newPage();
    if (watched) this.#watch(page, new URL(base).origin);
    await page.goto(base + hash);
    this.#current = page;
    return page;
  }

  #watch(page, origin) {
    page.on("pageerror", (error) => this.complaints.push(`error: ${error.stack}`));
    page.on("console", (message) => {
      // That an answer was 401, or that nobody listened, the browser says by itself; pages say it better.
      const isOfNetwork = message.text().startsWith("Failed to load resource");
      if (["error", "warning"].includes(message.type()) && !isOfNetwork) this.complaints.push(message.text());
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !url.startsWith("data:") && !url.startsWith(`blob:${origin}/`)) {
        this.complaints.push(`asked for ${url}`);
      }
    });
  }

  /** Asks the API itself. */
  async api(path, { method = "GET", body } = {}) {
    const response = await fetch(`${this.base}api/v1/${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, ...(body ? { "Content-Type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    return text === "" ? null : JSON.parse(text);
  }

  shot(page, name, options = {}) {
    return page.screenshot({ path: join(this.screenshots, `${name}.png`), ...options });
  }
}

/** Waits until `condition` holds, and returns what it is. */
export async function until(what, condition, most = SOON) {
  const end = Date.now() + most;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function same(actual, expected, what) {
  const [left, right] = [actual, expected].map((value) => JSON.stringify(value));
  if (left !== right) throw new Error(`${what}: ${left}, not ${right}`);
}

export function holds(condition, what) {
  if (!condition) throw new Error(what);
}

/** The row of a device by its name. */
export function row(page, name) {
  return page.locator("[data-device]", { has: page.locator(`.cell-0 bdi`, { hasText: name }) });
}

/** All that a canvas shows, as the number of its colours. */
export function colours(page, selector) {
  return page.locator(`${selector} canvas`).evaluate((canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 40) seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    return seen.size;
  });
}
