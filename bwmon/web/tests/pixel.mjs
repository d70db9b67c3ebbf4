// Says when the row of the only device changed, and when that was painted, as a line of JSON each:
// one half of `bwmon-pixel`. Ends when its standard input does.

import { chromium } from "playwright-core";

const [url] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();

await page.exposeFunction("say", (line) => console.log(line));
await page.goto(url);
await page.waitForSelector("[data-device] .cell-4");
await page.evaluate(() => {
  const now = () => performance.timeOrigin + performance.now();
  // What it used today: the one cell that changes with a packet and with nothing else.
  const cell = () => document.querySelector("[data-device] .cell-4").textContent;
  let last = cell();
  new MutationObserver(() => {
    const text = cell();
    if (text === last) return;
    last = text;
    const changed = now();
    // The first frame after the change has been painted when the second one begins.
    requestAnimationFrame(() => requestAnimationFrame(() => say(JSON.stringify({ text, changed, painted: now() }))));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
});
console.log(JSON.stringify({ text: "ready" }));

process.stdin.resume();
process.stdin.on("end", async () => {
  await browser.close();
  process.exit(0);
});
