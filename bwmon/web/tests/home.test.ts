import assert from "node:assert/strict";
import { test } from "node:test";
import { firing, NOTHING, totals, usedOfQuota, withAlert, withSnapshot } from "../src/core/home.ts";
import { alert, device, moved, snapshot } from "./made.ts";

test("the first snapshot has all, later ones what changed", () => {
  const first = withSnapshot(NOTHING, snapshot({ full: true, devices: [device("a"), device("b"), device("c")], alerts: [], mutes: [] }));
  const second = withSnapshot(first, snapshot({ devices: [device("b", { sent_rate: 7 }), device("d")], gone: ["c"] }));
  assert.deepEqual([...second.devices.keys()].sort(), ["a", "b", "d"]);
  assert.equal(second.devices.get("b")?.sent_rate, 7);
  assert.equal(second.devices.get("a"), first.devices.get("a"), "what did not change is the same");
  assert.equal(first.devices.get("b")?.sent_rate, 0, "the one before stays as it was");

  const third = withSnapshot(second, snapshot());
  assert.equal(third.devices, second.devices, "nothing changed");

  const anew = withSnapshot(third, snapshot({ full: true, devices: [device("z")] }));
  assert.deepEqual([...anew.devices.keys()], ["z"]);
});

test("null is as before", () => {
  const first = withSnapshot(NOTHING, snapshot({ full: true, alerts: [alert("1")], mutes: [] }));
  const second = withSnapshot(first, snapshot());
  assert.equal(second.alerts, first.alerts);
  assert.equal(withSnapshot(second, snapshot({ alerts: [] })).alerts.length, 0);
});

test("an alert is there at once, and gone when it is over", () => {
  const one = withAlert(NOTHING, alert("1"));
  const acknowledged = withAlert(one, alert("1", { acknowledged_at: "2026-03-08T12:01:00+00:00" }));
  assert.equal(acknowledged.alerts.length, 1);
  assert.equal(acknowledged.alerts[0]?.acknowledged_at, "2026-03-08T12:01:00+00:00");
  assert.deepEqual(withAlert(acknowledged, alert("1", { state: "resolved" })).alerts, []);
});

test("what nobody cares for comes first, then the worst, then the newest", () => {
  const alerts = [
    alert("old", { started_at: "2026-03-08T10:00:00+00:00" }),
    alert("seen", { severity: "critical", acknowledged_at: "2026-03-08T12:00:00+00:00" }),
    alert("new"),
    alert("critical", { severity: "critical", started_at: "2026-03-08T09:00:00+00:00" }),
    alert("pending", { state: "pending", severity: "info" }),
  ];
  const home = withSnapshot(NOTHING, snapshot({ full: true, alerts }));
  assert.deepEqual(home.alerts.map(({ id }) => id), ["critical", "new", "old", "pending", "seen"]);
  assert.deepEqual(firing(home.alerts).map(({ id }) => id), ["critical", "new", "old", "seen"]);
});

test("totals add up, without local traffic on a router", () => {
  const devices = [
    device("a", { sent_rate: 1, received_rate: 2, received_local_rate: 2, today: { ...moved(10, 20), active_seconds: 0 } }),
    device("b"),
    device("c", { received_rate: 5, today: { ...moved(1, 1), active_seconds: 0 } }),
  ];
  assert.deepEqual(totals(devices, false), { sentRate: 1, receivedRate: 5, sent: 11, received: 21, active: 2 });
  assert.deepEqual(totals(devices, true), { sentRate: 1, receivedRate: 7, sent: 11, received: 21, active: 2 });
});

test("a quota counts what it is about", () => {
  const cycle = { from: "2026-03-01", until: "2026-04-01", sent: 10, received: 100, sent_local: 1, received_local: 20, quota: 1000 };
  for (const [direction, scope, everything, expected] of [
    ["total", null, false, 89],
    ["total", null, true, 110],
    ["sent", "internet", false, 9],
    ["received", "local", false, 20],
    ["total", "all", false, 110],
  ] as const) {
    assert.equal(usedOfQuota(device("a", { cycle: { ...cycle, direction, scope } }), everything), expected);
  }
  assert.equal(usedOfQuota(device("a"), false), 0);
});
