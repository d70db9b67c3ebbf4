// Alerts, report, health; what happens when the daemon is away; and everything for who can't see it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { holds, please, row, same, until } from "./harness.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function alerts(h) {
  const page = await h.page({ hash: "#/alerts" });
  const list = page.locator(".alerts.plain .alert");
  await h.check("the timeline has a bar for each, the list its words", async () => {
    await page.locator(".lane", { hasText: "Tablet" }).locator(".lane-bar.firing").waitFor();
    await list.filter({ hasText: "Tablet" }).waitFor();
    await page.getByRole("button", { name: "1 w" }).click();
    await page.locator(".lane-bar").first().waitFor();
    await page.getByRole("button", { name: "Fit" }).click();
  });
  await h.check("mutes are listed and ended, and made for all", async () => {
    const mutes = page.locator("[data-mute]");
    await mutes.filter({ hasText: "<i>film</i>" }).waitFor();
    await page.getByRole("button", { name: "Unmute Tablet" }).click();
    await page.getByText("Nothing is muted").waitFor();
    same(await h.api("mutes"), [], "the API knows");
    await page.locator(".card", { hasText: "Nothing is muted" }).getByRole("button", { name: "Mute…" }).click();
    const dialog = page.getByRole("dialog", { name: "Mute" });
    await dialog.getByLabel("Rule").selectOption("new_device");
    await dialog.getByLabel("For").selectOption("until I take it back");
    await dialog.getByRole("button", { name: "Mute" }).click();
    await mutes.filter({ hasText: "all devices" }).waitFor();
    const [mute] = await h.api("mutes");
    same([mute.device, mute.rule, mute.until], [null, "new_device", null], "the mute");
    await page.getByRole("button", { name: "Unmute all devices" }).click();
    await page.getByText("Nothing is muted").waitFor();
  });
  await h.check("many alerts come in pages, and states are told apart", async () => {
    for (let host = 1; host <= 60; host += 1) await please(`upload 192.168.7.${host} 2`);
    await until("all of them fire", async () => (await h.api("alerts?state=firing&limit=1000")).length > 60);
    await page.getByRole("button", { name: "Firing" }).click();
    await until("a whole page", async () => (await list.count()) === 50);
    const first = await list.first().getAttribute("data-alert");
    await page.getByRole("button", { name: "Older" }).click();
    await until("the rest", async () => (await list.count()) > 10 && (await list.count()) < 50);
    await page.getByRole("button", { name: "Newer" }).click();
    await until("the first page again", async () => (await list.first().getAttribute("data-alert")) === first);
    await page.getByRole("button", { name: "Resolved" }).click();
    await page.getByText("None is resolved").waitFor();
  });
  await page.context().close();
}

export async function report(h) {
  const page = await h.page({ hash: "#/report" });
  const title = () => page.locator("#summary-title").innerText();
  await h.check("the report has the month, who moved how much, and the one before", async () => {
    const month = (date) => date.toLocaleDateString("en-GB", { month: "long", year: "numeric" });
    const now = new Date();
    await until("this month", async () => (await title()) === month(now));
    const rows = await h.api("report?period=month");
    same(await page.locator("table.report tbody th").allInnerTexts().then((names) => names.slice(0, 3)), rows.rows.slice(0, 3).map((row) => row.name), "the first three");
    holds((await page.locator(".days li").count()) >= 1, "days");
    await page.getByRole("button", { name: "Previous" }).click();
    const before = new Date(now.getFullYear(), now.getMonth() - 1, 15);
    await until("the month before", async () => (await title()) === month(before));
    await page.getByRole("button", { name: "Next" }).click();
    await until("this month again", async () => (await title()) === month(now));
    holds(await page.getByRole("button", { name: "Next" }).isDisabled(), "nothing comes after now");
  });
  await h.check("the billing cycle has quotas and a forecast", async () => {
    await page.getByRole("button", { name: "Billing cycle" }).click();
    await page.getByText("Forecast until").waitFor();
    await page.locator("table.report tbody tr", { hasText: "Backup server" }).locator(".meter").waitFor();
    await page.getByRole("button", { name: "Groups" }).click();
    await page.locator("table.report tbody th", { hasText: "living room" }).waitFor();
    await page.getByRole("button", { name: "Devices" }).click();
  });
  await h.check("it is saved as CSV", async () => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "CSV" }).click();
    const file = await download;
    holds(/^bwmon-cycle-\d{4}-\d\d-\d\d-device\.csv$/.test(file.suggestedFilename()), file.suggestedFilename());
    const text = await readFile(await file.path(), "utf8");
    const [head, ...rows] = text.trim().split("\r\n");
    holds(head.startsWith("id,name,"), head);
    holds(rows.some((line) => line.includes("Smart TV")) && rows.at(-1).startsWith("sum,"), text.slice(0, 400));
  });
  await page.context().close();
}

export async function health(h) {
  const page = await h.page({ hash: "#/health" });
  await h.check("health has coverage, modes, channels and the store, as the API", async () => {
    const card = page.locator("[data-interface=lan0]");
    await card.waitFor();
    const [lan0] = await h.api("interfaces");
    await card.getByText(lan0.ingress_mode, { exact: true }).waitFor();
    await card.getByText(lan0.egress_mode, { exact: true }).waitFor();
    holds(/^\d+(\.\d\d)? %/.test(await card.locator(".coverage").innerText()), "coverage");
    if (lan0.hint) await card.getByText(lan0.hint).waitFor();
    await page.locator(".card", { hasText: "Channels" }).getByText("127.0.0.1").first().waitFor();
    await page.getByText("is written each minute").waitFor();
    const { version, host } = await h.api("status");
    await page.getByText(`bwmon ${version}`).waitFor();
    await page.getByText(host, { exact: false }).first().waitFor();
  });
  await h.check("a coverage that is too low says what to do", async () => {
    await page.route("**/api/v1/stream", async (route) => {
      const [lan0] = await h.api("interfaces");
      const status = await h.api("status");
      const snapshot = {
        at: status.sampled_at, full: true, status: { ...status, warnings: ["<b>the disk</b> is full"] }, channels: [],
        interfaces: [{ ...lan0, coverage: 0.9987, hint: "switch the offload off: ethtool -K lan0 gro off" }],
        devices: await h.api("devices"), gone: [], alerts: [], mutes: [],
      };
      await route.fulfill({ contentType: "text/event-stream", body: `event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n` });
    });
    await page.reload();
    await page.getByText("switch the offload off: ethtool -K lan0 gro off").waitFor();
    await page.locator(".coverage.bad", { hasText: "99.87 %" }).waitFor();
    await page.getByText("<b>the disk</b> is full").waitFor();
    await page.unroute("**/api/v1/stream");
  });
  await page.context().close();
}

export async function restart(h) {
  const page = await h.page();
  await h.check("when the daemon goes the page says so, and comes back by itself", async () => {
    await row(page, "Smart TV").waitFor();
    await please("stop");
    const stopped = performance.now();
    await page.getByText("Data is stale").waitFor({ timeout: 8000 });
    const after = performance.now() - stopped;
    same(await page.locator("[data-total=received]").evaluate((total) => getComputedStyle(total).opacity), "0.45", "numbers are greyed");
    const said = await page.locator(".stale-banner").innerText();
    holds(/nothing came since \d\d:\d\d:\d\d, \d+ s ago/.test(said) && /Reconnecting/.test(said), said);
    await please("start");
    const started = performance.now();
    await page.getByText("Data is stale").waitFor({ state: "detached" });
    await page.getByText("live", { exact: true }).waitFor();
    await until("numbers again", async () => /[kM]bit/.test(await row(page, "Smart TV").locator(".cell-1").innerText()));
    return `stale after ${(after / 1000).toFixed(1)} s, back ${((performance.now() - started) / 1000).toFixed(1)} s after the start`;
  });
  await page.context().close();
}

export async function crowd(h) {
  const page = await h.page();
  await h.check("a thousand devices stay smooth", async () => {
    await row(page, "Smart TV").waitFor();
    await please("crowd 1000");
    await until("all are here", async () => parseInt(await page.locator(".devices .count").innerText(), 10) > 1000);
    holds((await page.locator("[data-device]").count()) < 120, "only what is in sight is drawn");
    await page.evaluate(() => {
      window.longest = [];
      new PerformanceObserver((list) => window.longest.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
    });
    const frames = page.evaluate(
      () =>
        new Promise((resolve) => {
          const times = [];
          const start = performance.now();
          const next = (time) => {
            times.push(time);
            window.scrollBy(0, 37);
            if (performance.now() - start < 4000) requestAnimationFrame(next);
            else resolve(times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b));
          };
          requestAnimationFrame(next);
        }),
    );
    // All of them move in each sample meanwhile.
    for (let sweep = 0; sweep < 4; sweep += 1) await please("crowd 1000");
    const gaps = await frames;
    const filter = page.getByLabel("Filter devices");
    const typed = performance.now();
    await filter.fill("192.168.11.17");
    await until("the one", async () => (await page.locator("[data-device]").count()) === 1 || (await page.locator(".devices .count").innerText()).startsWith("1"));
    const answer = Math.round(performance.now() - typed);
    await filter.fill("");
    const longest = Math.round(Math.max(0, ...(await page.evaluate(() => window.longest))));
    const at = (part) => Math.round(gaps[Math.floor((gaps.length - 1) * part)]);
    holds(at(0.5) <= 100, `half of the frames took more than ${at(0.5)} ms`);
    holds(longest < 1000, `the page was busy for ${longest} ms`);
    holds(answer < 3000, `the filter took ${answer} ms`);
    return `frames ${at(0.5)} ms, 95 % ${at(0.95)} ms; busy for ${longest} ms at most; filtered in ${answer} ms`;
  });
  await page.context().close();
}

const PAGES = [
  ["overview", "#/", ".live-chart canvas"],
  ["device", "#/devices/192.168.1.20", ".heat tbody td"],
  ["alerts", "#/alerts", ".alerts.plain .alert"],
  ["report", "#/report", "table.report tbody th"],
  ["health", "#/health", "[data-interface]"],
];

export async function everybody(h) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await h.page({ colorScheme });
    for (const [name, hash, ready] of PAGES) {
      await h.check(`axe finds nothing serious: ${name}, ${colorScheme}`, async () => {
        await page.goto(h.base + hash);
        await page.locator(ready).first().waitFor();
        const serious = await judged(page);
        holds(serious.length === 0, serious.join("\n"));
        await h.shot(page, `${name}-${colorScheme}`);
      });
    }
    await page.context().close();
  }
  await h.check("axe finds nothing serious: log-in and dialog", async () => {
    const page = await h.page({ loggedIn: false });
    await page.getByLabel("Token").waitFor();
    const serious = await judged(page);
    await page.getByLabel("Token").fill(h.token);
    await page.keyboard.press("Enter");
    await page.locator(".firing .alert").first().getByRole("button", { name: "Mute" }).click();
    await page.getByRole("dialog").waitFor();
    serious.push(...(await judged(page)));
    holds(serious.length === 0, serious.join("\n"));
    await page.context().close();
  });
}

async function judged(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`);
}

export async function sizes(h) {
  for (const [name, width, height, options] of [
    ["small", 320, 568, { isMobile: true, hasTouch: true }],
    ["phone", 390, 844, { isMobile: true, hasTouch: true, deviceScaleFactor: 2 }],
    ["4k", 3840, 2160, {}],
  ]) {
    const page = await h.page({ viewport: { width, height }, colorScheme: "dark", ...options });
    for (const [title, hash, ready] of PAGES) {
      await h.check(`nothing is cut off: ${title}, ${width} wide`, async () => {
        await page.goto(h.base + hash);
        await page.locator(ready).first().waitFor();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        same(wide, 0, "pixels beyond the edge");
        if (name === "phone" || (name === "4k" && title === "overview")) await h.shot(page, `${title}-${name}-dark`);
      });
    }
    await page.context().close();
  }
}

export async function paint(h) {
  await h.check("the first paint is soon", async () => {
    const page = await h.page();
    await row(page, "Smart TV").waitFor();
    const told = await page.evaluate(() => {
      const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN;
      return { paint: Math.round(paint), rows: Math.round(performance.now()) };
    });
    await page.context().close();
    return `first contentful paint after ${told.paint} ms, rows after ${told.rows} ms`;
  });
}
