// The overview: who uses the line now.

import { colours, holds, please, row, same, until } from "./harness.mjs";

export async function overview(h) {
  const page = await h.page();
  await h.check("everybody is there with what is moved now", async () => {
    for (const name of ["Ann's laptop", "Smart TV", "Ben's phone", "Backup server", "Game console", "Weather station"]) {
      await row(page, name).waitFor();
    }
    await until("the television receives", async () => /\d Mbit/.test(await row(page, "Smart TV").locator(".cell-1").innerText()));
    const total = await page.locator("[data-total=received]").innerText();
    holds(/^[\d.]+\s*Mbit\/s$/.test(total.replace(/\s+/g, " ")), `the total: ${total}`);
    await until("the title tells it, too", async () => /↓ .* ↑ .* bwmon$/.test(await page.title()));
  });
  await h.check("numbers are those of the API", async () => {
    // Both change with each sample, so they are looked at until both are of the same one.
    await until("the same number", async () => {
      const device = await h.api("devices/192.168.1.21");
      const shown = await row(page, "Smart TV").locator(".cell-4").innerText();
      const bytes = device.today.sent + device.today.received;
      return Math.abs(parseFloat(shown) - bytes / 10 ** (3 * Math.floor(Math.log10(bytes) / 3))) < 1;
    });
  });
  await h.check("the chart has a layer for each, and begins before the page", async () => {
    const loaded = await page.evaluate(() => performance.timeOrigin / 1000);
    await until("colours", async () => (await colours(page, ".live-chart")) > 8);
    await until("a legend", async () => (await page.locator(".legend li").count()) >= 6);
    const box = await page.locator(".live-chart .u-over").boundingBox();
    await until("a time before the page under the pointer", async () => {
      const back = Date.now() / 1000 - loaded + 3;
      await page.mouse.move(box.x + box.width * (1 - back / 600), box.y + box.height / 3);
      const [hours, minutes, seconds] = (await page.locator(".legend-time").innerText()).split(":").map(Number);
      const shown = new Date().setHours(hours, minutes, seconds) / 1000;
      return shown < loaded - 1;
    });
    await page.mouse.move(0, 0);
    await until("now again", async () => /devices active/.test(await page.locator(".legend-time").innerText()));
  });
  await h.check("columns sort, both ways, and say so", async () => {
    const first = () => page.locator("[data-device] .cell-0 bdi").first().innerText();
    const header = (name) => page.getByRole("columnheader", { name });
    await page.getByRole("button", { name: "Sent now" }).click();
    await until("who sends most is first", async () => (await first()) === "Backup server");
    same(await header("Sent now").getAttribute("aria-sort"), "descending", "said");
    await page.getByRole("button", { name: "Device", exact: true }).click();
    same(await header("Device").getAttribute("aria-sort"), "ascending", "said");
    same(await header("Sent now").getAttribute("aria-sort"), null, "only of one");
    const names = await page.locator("[data-device] .cell-0 a bdi").allInnerTexts();
    same(names, [...names].sort(new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare), "by name");
    await page.getByRole("button", { name: "Device", exact: true }).click();
    same(await header("Device").getAttribute("aria-sort"), "descending", "turned");
  });
  await h.check("the filter finds names, addresses and makers", async () => {
    const filter = page.getByLabel("Filter devices");
    for (const [words, count] of [["tv", 1], ["192.168.1.2", 7], ["synology", 1], ["family phone", 1], ["nobody", 0]]) {
      await filter.fill(words);
      await until(`${words}: ${count}`, async () => (await page.locator("[data-device]").count()) === count);
    }
    await page.getByText("No device has all of these words").waitFor();
    await filter.fill("");
  });
  await h.check("groups are in front of their devices", async () => {
    await page.getByLabel("by group").check();
    await page.locator(".row.group", { hasText: "living room" }).getByText("2 devices").waitFor();
    await page.getByLabel("by group").uncheck();
    same(await page.locator(".row.group").count(), 0, "groups");
  });
  await h.check("units and theme are as chosen, also after a reload", async () => {
    await page.getByRole("button", { name: /rates in bits/ }).click();
    await until("bytes", async () => /MB\/s/.test(await row(page, "Smart TV").locator(".cell-1").innerText()));
    await page.getByRole("button", { name: /Theme: as the system/ }).click();
    await page.getByRole("button", { name: /Theme: light/ }).click();
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    same(await background(), "rgb(13, 17, 23)", "dark");
    await page.reload();
    await row(page, "Smart TV").waitFor();
    same(await background(), "rgb(13, 17, 23)", "still dark");
    holds(/MB\/s/.test(await page.locator("[data-total=received]").innerText()), "still bytes");
    await page.getByRole("button", { name: /Theme: dark/ }).click();
    same(await background(), "rgb(244, 246, 249)", "light, as the system");
    await page.getByRole("button", { name: /rates in bytes/ }).click();
  });
  await h.check("keys are enough", async () => {
    await page.reload();
    await row(page, "Smart TV").waitFor();
    await page.keyboard.press("Tab");
    same(await page.evaluate(() => document.activeElement.className), "skip", "the first stop skips the frame");
    await page.keyboard.press("Enter");
    same(await page.evaluate(() => document.activeElement.id), "main", "the content");
    const link = row(page, "Smart TV").getByRole("link");
    await link.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Smart TV", level: 1 }).waitFor();
    same(await page.evaluate(() => document.activeElement.id), "main", "the focus is in the new page");
    await page.goBack();
    await row(page, "Smart TV").waitFor();
  });
  await alert(h, page);
  await page.context().close();
}

async function alert(h, page) {
  const card = page.locator(".firing .alert", { hasText: "Tablet" });
  await h.check("an alert is there within two seconds of who was told", async () => {
    await please("upload 192.168.1.80 150");
    await please("told volume firing Tablet");
    const told = performance.now();
    await card.waitFor();
    const late = Math.round(performance.now() - told);
    holds(late < 2000, `${late} ms after the receiver`);
    await until("it is read out", async () => /Tablet/.test(await page.locator("[data-announcer]").innerText()));
    await until("the title says so", async () => /alert/.test(await page.title()));
    return `${late} ms after the receiver`;
  });
  await h.check("it is acknowledged, and that is taken back", async () => {
    const [{ id }] = await h.api("alerts?state=firing");
    await card.getByRole("button", { name: "Acknowledge" }).click();
    await card.getByText("acknowledged", { exact: false }).waitFor();
    holds((await h.api(`alerts/${id}`)).acknowledged_at, "the API knows");
    await until("no badge", async () => (await page.locator(".badge").count()) === 0);
    await card.getByRole("button", { name: "Take back" }).click();
    await card.getByRole("button", { name: "Acknowledge" }).waitFor();
    same((await h.api(`alerts/${id}`)).acknowledged_at, null, "the API knows");
    await until("a badge", async () => (await page.locator(".badge").innerText()).startsWith("1"));
  });
  await h.check("it is muted, and the row has its mark", async () => {
    await row(page, "Tablet").locator(".mark").waitFor();
    await card.getByRole("button", { name: "Mute" }).click();
    const dialog = page.getByRole("dialog", { name: "Mute" });
    await dialog.getByLabel("For").selectOption("1 hour");
    await dialog.getByLabel("Why").fill("<i>film</i>");
    await dialog.getByRole("button", { name: "Mute" }).click();
    await dialog.waitFor({ state: "detached" });
    const [mute] = await h.api("mutes");
    same([mute.rule, mute.reason], ["volume", "<i>film</i>"], "the mute");
    await until("the alert says so", async () => /muted/.test(await card.innerText()));
  });
}
