// The page of a device.

import { colours, holds, same, until } from "./harness.mjs";

export async function device(h) {
  const page = await h.page({ hash: "#/devices/192.168.1.20" });
  const caption = () => page.locator(".caption").innerText();
  await h.check("its history is there from an hour to a year", async () => {
    await page.getByRole("heading", { name: "Ann's laptop", level: 1 }).waitFor();
    for (const [label, step] of [["1 hour", "1 min"], ["1 week", "30 min"], ["1 month", "2 h"], ["1 year", "1 d"], ["1 day", "3 min"]]) {
      await page.getByRole("button", { name: label }).click();
      await until(`${label}: a step of ${step}`, async () => (await caption()).includes(`a step is ${step}`));
      await until("a chart", async () => (await colours(page, ".history-chart")) > 3);
    }
  });
  await h.check("drag and wheel zoom, keys and buttons pan, and finer steps come", async () => {
    const asked = [];
    page.on("request", (request) => request.url().includes("/history?") && asked.push(new URL(request.url()).searchParams));
    const span = () => {
      const last = asked.at(-1);
      return last ? [Date.parse(last.get("from")), Date.parse(last.get("to"))].map((time) => time / 1000) : [0, 0];
    };
    const next = async (what, work) => {
      const before = asked.length;
      await work();
      await until(what, async () => asked.length > before);
      return span();
    };
    const now = Date.now() / 1000;
    const box = await page.locator(".history-chart .u-over").boundingBox();
    const [from, to] = await next("a question after the drag", async () => {
      await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
      await page.mouse.up();
    });
    holds(Math.abs(from - (now - 64_800)) < 900 && Math.abs(to - (now - 43_200)) < 900, `dragged: ${now - from}, ${now - to} before now`);
    await page.mouse.move(0, 0);
    await until("finer steps", async () => (await caption()).includes("a step is 1 min"));
    const [wheelFrom, wheelTo] = await next("a question after the wheel", async () => {
      await page.mouse.move(box.x + box.width / 2, box.y + 50);
      await page.mouse.wheel(0, -200);
    });
    holds(wheelTo - wheelFrom < (to - from) * 0.8, "the wheel zooms in");
    const panned = await next("a question after a key", async () => {
      await page.locator(".history-chart").focus();
      await page.keyboard.press("ArrowLeft");
    });
    holds(panned[0] < wheelFrom && Math.abs(panned[1] - panned[0] - (wheelTo - wheelFrom)) < 2, "the key pans");
    const shifted = await next("a question after a drag with Shift", async () => {
      await page.keyboard.down("Shift");
      await page.mouse.move(box.x + box.width * 0.3, box.y + 50);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.6, box.y + 50, { steps: 4 });
      await page.mouse.up();
      await page.keyboard.up("Shift");
    });
    holds(shifted[0] < panned[0], "the drag pans");
    const out = await next("a question after a button", () => page.getByRole("button", { name: "Zoom out" }).click());
    holds(out[1] - out[0] > (shifted[1] - shifted[0]) * 1.5, "the button zooms out");
    await page.getByRole("button", { name: "1 day" }).click();
  });
  await h.check("the chart is a table, too, and the hours a map", async () => {
    await page.getByRole("button", { name: "Table" }).click();
    await until("rows", async () => (await page.locator("table.plain tbody tr").count()) > 20);
    await page.getByRole("button", { name: "Chart" }).click();
    await page.locator(".history-chart canvas").waitFor();
    await until("168 hours", async () => (await page.locator(".heat tbody td").count()) === 168);
    holds((await page.locator(".heat .heat-6").count()) > 0, "the busiest hours");
    const words = await page.locator(".heat tbody tr").nth(5).locator("td").nth(20).innerText();
    holds(/[kMG]B/.test(words), `Saturday evening: ${words}`);
  });
  await h.check("it says who it is", async () => {
    const side = page.locator(".column-side");
    for (const words of ["f0:18:98:2c:10:20", "192.168.1.20", "Apple", "registered"]) await side.getByText(words).first().waitFor();
    await page.goto(`${h.base}#/devices/192.168.1.22`);
    await page.getByRole("heading", { name: "Ben's phone" }).waitFor();
    await side.getByText("private").waitFor();
  });
  await change(h, page);
  await h.check("groups and interfaces have a page of their own", async () => {
    await page.goto(`${h.base}#/devices/interface%3Alan0`);
    await page.getByRole("heading", { name: /lan0/, level: 1 }).waitFor();
    await page.getByRole("button", { name: "1 hour" }).click();
    await until("a chart", async () => (await colours(page, ".history-chart")) > 3);
    await page.goto(`${h.base}#/devices/group%3Afamily`);
    await page.getByRole("heading", { name: /family/, level: 1 }).waitFor();
    await until("what it moved", async () => /[kMG]B/.test(await caption()));
  });
  await page.context().close();
}

async function change(h, page) {
  const save = () => page.getByRole("button", { name: "Save" }).click();
  await h.check("a device is renamed, also to markup, which is text", async () => {
    const name = `<img src=x onerror="window.hacked=1"><b>TV & "more"</b>`;
    await page.goto(`${h.base}#/devices/192.168.1.57`);
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Group").fill("guests");
    await save();
    await page.getByRole("heading", { name, level: 1 }).waitFor();
    same((await h.api("devices/192.168.1.57")).name, name, "the API has it");
    await page.goto(`${h.base}#/`);
    await page.locator("[data-device] bdi", { hasText: name }).waitFor();
    same(await page.evaluate(() => [window.hacked, document.querySelectorAll("[data-device] img, bdi b").length]), [undefined, 0], "no markup");
  });
  await h.check("what turns text around is not shown", async () => {
    // Past the server, which refuses such a name: whatever it sends, the page is careful.
    await page.route("**/api/v1/alerts?*", async (route) => {
      const response = await route.fetch();
      const [first, ...rest] = await response.json();
      const device = { ...first.device, name: "\u202eexe.\u2066gnp\u0007\u200b" };
      await route.fulfill({ response, json: [{ ...first, device, description: "a\u202eb\u0000c" }, ...rest] });
    });
    await page.goto(`${h.base}#/alerts`);
    const head = page.locator(".alerts.plain .alert").first();
    await head.waitFor();
    same(await head.locator(".alert-head bdi").first().evaluate((name) => name.textContent), "exe.gnp", "the name");
    same(await head.locator(".alert-text bdi").evaluate((text) => text.textContent), "abc", "the words");
    await page.unroute("**/api/v1/alerts?*");
  });
  await h.check("thresholds are changed, and what is not allowed is told as the server says it", async () => {
    await page.goto(`${h.base}#/devices/192.168.1.57`);
    const threshold = page.getByLabel("Threshold a day");
    await threshold.fill("12 MB");
    await page.getByLabel("Quota a cycle").fill("3 GB");
    await save();
    await page.locator(".facts").getByText(/of 12\sMB/).waitFor();
    same((await h.api("devices/192.168.1.57")).thresholds.quota, 3e9, "the quota");
    await threshold.fill("12 Mb");
    await save();
    const told = await page.locator(".form .wrong").innerText();
    holds(/Mb/.test(told) && told.length > 20, told);
    same((await h.api("devices/192.168.1.57")).thresholds.bandwidth_threshold, 12e6, "as before");
  });
  await h.check("its entry is deleted after a question", async () => {
    await page.reload();
    await page.getByRole("button", { name: "Delete entry…" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete the entry" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    holds(await h.api("devices/192.168.1.57/registration"), "nothing happened yet");
    await page.getByRole("button", { name: "Delete entry…" }).click();
    await dialog.getByRole("button", { name: "Delete entry" }).click();
    await page.getByRole("button", { name: "Delete entry…" }).waitFor({ state: "detached" });
    same((await h.api("devices/192.168.1.57")).registered, false, "registered");
  });
}
