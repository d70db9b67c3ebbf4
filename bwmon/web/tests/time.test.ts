import assert from "node:assert/strict";
import { test } from "node:test";
import { lanes, spanOf, ticks } from "../src/core/lanes.ts";
import { dayBefore, nextMonth, periodTitle } from "../src/core/period.ts";
import { chosen, latest, panned, SHORTEST, zoomed } from "../src/core/range.ts";
import { byHourOfWeek, wallClock } from "../src/core/week.ts";
import { alert, point } from "./made.ts";

test("hours of the week are those that the router wrote", () => {
  assert.deepEqual(wallClock("2026-03-09T00:30:00+13:00"), [0, 0]);
  assert.deepEqual(wallClock("2026-03-08T23:30:00-08:00"), [6, 23]);
  assert.deepEqual(wallClock("nonsense"), [-1, -1]);
});

test("an hour of the week is the mean of those that are known", () => {
  const points = [
    point("2026-03-02T10:00:00+01:00", 3600, 0, 100),
    point("2026-03-09T10:00:00+01:00", 3600, 100, 200),
    point("2026-03-03T00:00:00+01:00", 86_400, 5, 5),
    { ...point("2026-03-04T05:00:00+01:00", 1800, 0, 50), received_local: 40 },
  ];
  const week = byHourOfWeek(points, false);
  assert.equal(week[0]?.[10]?.bytes, 200);
  assert.deepEqual(week[1]?.[0], { bytes: 0, hours: 0 }, "a day tells nothing of its hours");
  assert.equal(week[2]?.[5]?.bytes, 20, "half an hour stands for a whole one, without local traffic");
  assert.equal(byHourOfWeek(points, true)[2]?.[5]?.bytes, 100);
});

test("zoom keeps its place, and nothing goes beyond now", () => {
  const now = 100_000;
  const range = { from: 10_000, to: 20_000 };
  assert.deepEqual(zoomed(range, 0.5, 15_000, now), { from: 12_500, to: 17_500 });
  assert.deepEqual(zoomed(range, 0.5, 10_000, now), { from: 10_000, to: 15_000 });
  assert.deepEqual(panned(range, 0.5, now), { from: 15_000, to: 25_000 });
  assert.deepEqual(panned(range, 100, now), { from: 90_000, to: 100_000 });
  const short = zoomed(range, 0.000001, 15_000, now);
  assert.ok(Math.abs(short.to - short.from - SHORTEST) < 1e-6);
  assert.deepEqual(chosen(50, 40, now), { from: 45 - SHORTEST / 2, to: 45 + SHORTEST / 2 });
  assert.deepEqual(latest(60, now), { from: 99_940, to: now });
});

test("months and cycles have neighbours", () => {
  assert.equal(dayBefore("2026-03-01T00:00:00+01:00"), "2026-02-28");
  assert.equal(nextMonth("2026-12-01T00:00:00+01:00"), "2027-01-01");
  assert.equal(periodTitle("2026-03-01T00:00:00+01:00", "2026-03-08T14:03:00+01:00", "month"), "March 2026");
  assert.equal(periodTitle("2026-03-15T00:00:00+01:00", "2026-04-15T00:00:00+02:00", "cycle"), "15 Mar to 14 Apr 2026");
  assert.equal(periodTitle("2026-03-15T00:00:00+01:00", "2026-03-20T10:00:00+01:00", "cycle"), "15 Mar to 20 Mar 2026");
});

test("bars are where they belong, in one lane a device", () => {
  const at = (seconds: number) => new Date(seconds * 1000).toISOString();
  const of = (id: string) => ({ ...alert("x").device, id, name: id });
  const alerts = [
    alert("1", { device: of("a"), started_at: at(100), ended_at: at(150), state: "resolved" }),
    alert("2", { device: of("a"), started_at: at(190) }),
    alert("3", { device: of("b"), started_at: at(0), ended_at: at(120), state: "resolved" }),
    alert("4", { device: of("c"), started_at: at(0), ended_at: at(50), state: "resolved" }),
  ];
  const { lanes: found, more } = lanes(alerts, 100, 200, 5);
  assert.deepEqual(found.map((lane) => [lane.id, lane.bars.map(({ left, width }) => [left, width])]), [
    ["a", [[0, 0.5], [0.9, 0.09999999999999998]]],
    ["b", [[0, 0.2]]],
  ]);
  assert.equal(more, 0);
  assert.equal(lanes(alerts, 100, 200, 1).more, 1);
  assert.equal(spanOf(alerts, 300), 3600);
  assert.equal(spanOf([], 300), 3600);
});

test("ticks are round and few", () => {
  const found = ticks(1_000_000, 1_000_000 + 3600, 6);
  assert.ok(found.length >= 4 && found.length <= 7, String(found.length));
  assert.ok(found.every((tick) => tick % 60 === 0));
});
