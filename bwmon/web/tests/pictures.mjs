// The pictures of the documentation: one half of `bwmon-pictures`, which has a home live meanwhile.
//
//   node tests/pictures.mjs URL TOKEN DIRECTORY MINUTES

import { execFile } from "node:child_process";
import { rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Harness, row } from "./browser/harness.mjs";

/** What a picture may have, in bytes. */
const MOST = 150_000;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const [url, token, directory, minutes] = process.argv.slice(2);
const h = new Harness(url, token, directory);
await h.open();
await new Promise((resolve) => setTimeout(resolve, Number(minutes) * 60_000));

for (const [name, hash, options] of [
  ["overview-light", "#/", { colorScheme: "light" }],
  ["overview-dark", "#/", { colorScheme: "dark" }],
  ["device", "#/devices/192.168.1.20", { colorScheme: "light" }],
  ["alerts", "#/alerts", { colorScheme: "light" }],
  ["report", "#/report", { colorScheme: "dark" }],
  ["phone-dark", "#/", { colorScheme: "dark", ...PHONE }],
]) {
  const page = await h.page({ viewport: { width: 1280, height: 860 }, ...options });
  await row(page, "Smart TV").waitFor();
  // The charts are filled with what was before the page.
  await page.waitForTimeout(4000);
  await page.goto(h.base + hash);
  if (name === "report") await page.getByRole("button", { name: "Billing cycle" }).click();
  await page.waitForTimeout(2500);
  await h.shot(page, name);
  await page.context().close();
  await shrink(join(directory, `${name}.png`));
}
await h.close();
for (const complaint of new Set(h.complaints)) console.log(complaint);

async function shrink(file) {
  await promisify(execFile)("pngquant", ["--force", "--strip", "--speed", "1", "--output", `${file}.new`, "256", file]);
  await rename(`${file}.new`, file);
  const { size } = await stat(file);
  console.log(`${file}: ${size} bytes`);
  if (size > MOST) throw new Error(`${file} is larger than ${MOST} bytes`);
}
