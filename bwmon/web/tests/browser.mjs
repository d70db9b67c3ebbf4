// The dashboard in a real browser: `tests/tests/end_to_end/browser.rs` starts this beside a daemon that
// counts real traffic, and does in the network what is asked for by lines that begin with `please`.
//
//   node tests/browser.mjs URL TOKEN DIRECTORY-FOR-SCREENSHOTS

import * as access from "./browser/access.mjs";
import { device } from "./browser/device.mjs";
import { Harness } from "./browser/harness.mjs";
import { overview } from "./browser/overview.mjs";
import * as pages from "./browser/pages.mjs";

/** All of it takes a minute, on a busy machine several. */
const PATIENCE = 420_000;

const [url, token, screenshots] = process.argv.slice(2);
const watchdog = setTimeout(() => {
  console.log("FAILED it takes too long");
  process.exit(1);
}, PATIENCE);
const h = new Harness(url, token, screenshots);
await h.open();
const start = performance.now();
await access.logIn(h);
await pages.paint(h);
await overview(h);
await device(h);
await pages.alerts(h);
await pages.report(h);
await pages.health(h);
await access.policy(h);
await access.otherOrigin(h);
await access.subPath(h);
await pages.everybody(h);
await pages.sizes(h);
await pages.restart(h);
await pages.crowd(h);
await access.withoutToken(h);
await h.check("no page complained, or asked another host", async () => {
  if (h.complaints.length > 0) throw new Error([...new Set(h.complaints)].slice(0, 10).join("\n"));
});
await h.close();
clearTimeout(watchdog);
console.log(`${h.failures.length} failed, ${Math.round((performance.now() - start) / 1000)} s`);
process.exit(h.failures.length === 0 ? 0 : 1);
