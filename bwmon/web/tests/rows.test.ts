import assert from "node:assert/strict";
import { test } from "node:test";
import { changed } from "../src/core/entry.ts";
import { grouped, matching, partOfThreshold, sorted } from "../src/core/rows.ts";
import { inScope } from "../src/core/scope.ts";
import { rest, sparkline, stacked, thinned, withColours } from "../src/core/stack.ts";
import { device, moved } from "./made.ts";

const DEVICES = [
  device("10.0.0.2", { name: "TV 10", received_rate: 5, group: "den", vendor: "Sony" }),
  device("10.0.0.3", { name: "tv 9", received_rate: 5, sent_rate: 9 }),
  device("10.0.0.4", { name: "Äpfel", received_rate: 50, group: "den", mac: "02:00:00:00:00:aa" }),
];

test("the filter wants all words, wherever they are", () => {
  for (const [filter, expected] of [
    ["", 3],
    ["tv", 2],
    ["TV sony", 1],
    ["10.0.0.4", 1],
    ["00:AA", 1],
    ["äPF", 1],
    ["den", 2],
    ["tv nothing", 0],
  ] as const) {
    assert.equal(matching(DEVICES, filter).length, expected, filter);
  }
});

test("what is equal is by name, in both directions", () => {
  const order = (column: "name" | "received" | "sent", descending: boolean) =>
    sorted(DEVICES, { column, descending }, false).map(({ name }) => name);
  assert.deepEqual(order("received", true), ["Äpfel", "tv 9", "TV 10"]);
  assert.deepEqual(order("received", false), ["tv 9", "TV 10", "Äpfel"]);
  assert.deepEqual(order("sent", true), ["tv 9", "Äpfel", "TV 10"]);
  assert.deepEqual(order("name", false), ["Äpfel", "tv 9", "TV 10"]);
  assert.deepEqual(order("name", true), ["TV 10", "tv 9", "Äpfel"]);
});

test("a group is in front of its devices, and sums them up", () => {
  const rows = grouped(sorted(DEVICES, { column: "received", descending: true }, false), false);
  assert.deepEqual(
    rows.map((row) => (row.kind === "group" ? `${row.name}: ${row.count}, ${row.receivedRate}` : row.device.name)),
    ["den: 2, 55", "Äpfel", "TV 10", "null: 1, 5", "tv 9"],
  );
});

test("a threshold counts internet traffic, or all where nothing is routed", () => {
  const today = { ...moved(10, 90), received_local: 40, active_seconds: 0 };
  const one = device("a", { today, thresholds: { ...device("a").thresholds, bandwidth_threshold: 200 } });
  assert.equal(partOfThreshold(one, false), 0.3);
  assert.equal(partOfThreshold(one, true), 0.5);
  assert.equal(partOfThreshold(device("a"), true), undefined);
});

test("only what was changed is sent, and what is empty is removed", () => {
  const entry = { name: "TV", quota: { limit: 5 }, bandwidth_threshold: 5_000_000 };
  const form = { name: "TV", group: "", bandwidth_threshold: "5000000", rate_threshold: "", max_active_time: "" };
  assert.deepEqual(changed(entry, form), {});
  assert.deepEqual(changed(entry, { ...form, name: " Telly ", bandwidth_threshold: "", group: "den", mute: "true" }), {
    name: "Telly",
    group: "den",
    bandwidth_threshold: null,
    mute: true,
  });
  assert.deepEqual(changed({ mute: true }, {}), { mute: null });
  assert.deepEqual(changed(entry, { quota: "1 GB" }), {}, "what says more than a text is left alone");
});

test("layers lie on each other, and the rest is never less than nothing", () => {
  assert.deepEqual(stacked([[1, 2], [3, 4], [5, 0]]), [[1, 2], [4, 6], [9, 6]]);
  assert.deepEqual(rest([10, 5], [[4, 4], [1, 3]]), [5, 0]);
});

test("who has a colour keeps it while he is among the first", () => {
  const first = withColours(new Map(), ["a", "b", "c"], 3);
  assert.deepEqual([...first], [["a", 0], ["b", 1], ["c", 2]]);
  const second = withColours(first, ["b", "d", "a", "c"], 3);
  assert.deepEqual([...second], [...first], "one place down is not gone yet");
  const third = withColours(second, ["d", "e", "b", "f", "a"], 3);
  assert.equal(third.get("b"), 1);
  assert.deepEqual(new Set(third.keys()), new Set(["b", "d", "e"]));
  assert.equal(new Set(third.values()).size, 3);
});

test("a sparkline is where its times are", () => {
  assert.deepEqual(sparkline([{ at: 1, value: 1 }], 10, 10, 1), { line: "", area: "" });
  const { line, area } = sparkline([{ at: 0.5, value: 0 }, { at: 1, value: 2 }], 10, 10, 2);
  assert.equal(line, "M5.0 9.0L10.0 1.0");
  assert.equal(area, "M5.0 9.0L10.0 1.0L10.0 10L5.0 10Z");
  assert.deepEqual(thinned([0, 5, 10], [1, 2, 4], 10, 2), [{ at: 0, value: 1 }, { at: 1, value: 3 }]);
});

test("amounts in a scope are those that its total is of", () => {
  const row = { sent: 10, received: 200, sent_local: 4, received_local: 50 };
  for (const [scope, sent, received] of [
    ["all", 10, 200],
    ["local", 4, 50],
    ["internet", 6, 150],
  ] as const) {
    const of = inScope(row, scope);
    assert.deepEqual([of.sent, of.received], [sent, received], scope);
  }
});
