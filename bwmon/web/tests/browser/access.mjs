// Who may see and change what: the log-in, the policy, other origins, a proxy below a path.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { holds, please, row, same, until } from "./harness.mjs";

export async function logIn(h) {
  await h.check("without the token there is a log-in, and nothing else", async () => {
    const page = await h.page({ loggedIn: false });
    await page.getByLabel("Token").waitFor();
    same(await page.locator("[data-device]").count(), 0, "rows");
    await page.getByLabel("Token").fill("sesame-street");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("This is not the token").waitFor();

    await page.getByLabel("Token").fill(h.token);
    await page.keyboard.press("Enter");
    await row(page, "Smart TV").waitFor();
    same(await page.evaluate(() => [sessionStorage["bwmon.token"] !== undefined, localStorage["bwmon.token"]]), [true, undefined], "kept for the tab");

    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").fill(h.token);
    await page.getByLabel("stay signed in").check();
    await page.keyboard.press("Enter");
    await row(page, "Smart TV").waitFor();
    same(await page.evaluate(() => [sessionStorage["bwmon.token"], localStorage["bwmon.token"] !== undefined]), [undefined, true], "kept on the device");
    await page.reload();
    await row(page, "Smart TV").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
    same(await page.evaluate(() => [sessionStorage["bwmon.token"], localStorage["bwmon.token"]]), [undefined, undefined], "forgotten");
    await page.context().close();
  });
}

export async function policy(h) {
  await h.check("the policy lets nothing run that is not the page's own", async () => {
    const page = await h.page({ watched: false });
    await row(page, "Smart TV").waitFor();
    const ran = await page.evaluate(async () => {
      const violations = [];
      document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
      const attempt = (work) => {
        try {
          work();
        } catch (error) {
          violations.push(error.name);
        }
      };
      attempt(() => (document.createElement("div").innerHTML = "<b>x</b>"));
      attempt(() => {
        const script = document.createElement("script");
        script.textContent = "window.inlineRan = true";
        document.body.append(script);
      });
      attempt(() => {
        const image = document.createElement("img");
        image.src = "http://192.0.2.99/pixel.png";
        document.body.append(image);
      });
      await fetch("http://192.0.2.99/").catch((error) => violations.push(error.name));
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { violations, inline: window.inlineRan === true };
    });
    same(ran.inline, false, "an inline script ran");
    for (const directive of ["img-src", "connect-src"]) holds(ran.violations.includes(directive), `${directive}: ${ran.violations}`);
    holds(ran.violations.includes("TypeError"), `markup out of text: ${ran.violations}`);
    await page.context().close();
    const { headers } = await fetch(h.base);
    holds(headers.get("content-security-policy")?.includes("default-src 'none'"), "the policy");
    same(headers.get("x-content-type-options") ?? "nosniff", "nosniff", "no guessing of types");
  });
}

export async function otherOrigin(h) {
  await h.check("a page of another origin changes nothing and reads nothing", async () => {
    const server = createServer((_, answer) => {
      answer.writeHead(200, { "Content-Type": "text/html" });
      answer.end("<!doctype html><title>elsewhere</title><form method=post><input name=x></form>");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const page = await h.page({ base: `http://127.0.0.1:${server.address().port}/`, hash: "", loggedIn: false, watched: false });
    const before = await h.api("mutes");
    const [alert] = await h.api("alerts?state=firing&limit=1");
    const found = await page.evaluate(
      async ([base, id]) => {
        const read = [];
        const attempts = [
          ["mutes", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }],
          ["mutes", { method: "POST", body: "{}", headers: { "Content-Type": "text/plain" }, mode: "no-cors" }],
          ["mutes", { method: "POST", mode: "no-cors", credentials: "include" }],
          [`alerts/${id}/ack`, { method: "POST", mode: "no-cors" }],
          ["devices/unknown", { method: "PATCH", body: '{"name":"x"}', headers: { "Content-Type": "application/json" } }],
          ["devices", {}],
          ["stream", {}],
        ];
        for (const [path, options] of attempts) {
          const response = await fetch(`${base}api/v1/${path}`, options).catch(() => null);
          if (response && response.type !== "opaque") read.push(path);
        }
        // A form needs no script.
        const form = document.querySelector("form");
        form.action = `${base}api/v1/mutes`;
        form.target = "_blank";
        form.submit();
        await new Promise((resolve) => setTimeout(resolve, 300));
        return read;
      },
      [h.base, alert?.id ?? "none"],
    );
    same(found, [], "read by another origin");
    same(await h.api("mutes"), before, "mutes");
    if (alert) same((await h.api(`alerts/${alert.id}`)).acknowledged_at, alert.acknowledged_at, "acknowledged");
    await page.context().close();
    server.close();
  });
}

export async function subPath(h) {
  await h.check("it works below a path of a reverse proxy", async () => {
    const proxy = spawn("node", ["dev/proxy.mjs", "--to", h.base, "--listen", "127.0.0.1:0", "--prefix", "/our/router/"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [line] = await once(proxy.stdout, "data");
      const base = String(line).trim();
      const page = await h.page({ base });
      await row(page, "Smart TV").waitFor();
      await page.getByText("live", { exact: true }).waitFor();
      for (const [link, heading] of [["Alerts", "Alerts"], ["Report", "Report"], ["Health", "Health"]]) {
        await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: link }).click();
        await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
      }
      await page.getByText("of the interface's packets").waitFor();
      await page.goto(`${base}#/devices/192.168.1.21`);
      await page.getByRole("heading", { name: "Smart TV" }).waitFor();
      await page.getByLabel("Threshold of the rate").fill("90 Mbit/s");
      await page.getByRole("button", { name: "Save" }).click();
      await until("the threshold is written", async () => {
        const device = await h.api("devices/192.168.1.21");
        return device.thresholds.rate_threshold === 90e6 / 8;
      });
      await page.context().close();
    } finally {
      proxy.kill();
    }
  });
}

export async function withoutToken(h) {
  await h.check("where no token is set the page only shows, and says why", async () => {
    await please("stop");
    await please("open");
    await please("start");
    const page = await h.page({ loggedIn: false, hash: "#/devices/192.168.1.21" });
    await page.getByText("Set http.token_file in bwmon.toml").waitFor();
    same(await page.getByRole("button", { name: "Save" }).isDisabled(), true, "Save can't be pressed");
    same(await page.getByRole("button", { name: "Log out" }).count(), 0, "nobody is logged in");
    await page.context().close();
  });
}
