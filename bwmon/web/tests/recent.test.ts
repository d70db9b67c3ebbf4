import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL, Recent, SPAN } from "../src/core/recent.ts";
import { device, moved, point } from "./made.ts";

const START = Date.parse("2026-03-08T12:00:00Z") / 1000;

function near(actual: number | undefined, expected: number, what: string): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < Math.max(1, expected) * 0.01, `${what}: ${actual}, not ${expected}`);
}

/** After the beginning: `seconds` of a device that receives 1,000 bytes a second. */
function steady(seconds: number, step = 1): Recent {
  const recent = new Recent();
  recent.begin(START, step, [device("a", { received_rate: 1000, since_start: moved(0, 5000) })], true);
  for (let time = step; time <= seconds; time += step) {
    recent.push(START + time, [device("a", { since_start: moved(0, 5000 + 1000 * time) })]);
  }
  return recent;
}

test("a steady rate is that rate from the first sample to the last", () => {
  for (const step of [1, 2, 10]) {
    const recent = steady(60, step);
    assert.equal(recent.times().length, 60 / step + 1);
    for (const rate of recent.rates("a").received) near(rate, 1000, `steps of ${step} s`);
    near(recent.rates(ALL).received.at(-1), 1000, "all");
  }
});

test("samples that are close are put together, and no byte is lost", () => {
  const recent = steady(60, 0.2);
  assert.ok(recent.times().length <= 62, String(recent.times().length));
  near(recent.rates("a").received.at(-1), 1000, "the rate");
  assert.deepEqual(recent.ranking().map(([id]) => id), ["a"]);
});

test("who stops fades, as the daemon has it", () => {
  const recent = steady(60);
  recent.push(START + 65, []);
  near(recent.rates("a").received.at(-1), 1000 * Math.exp(-1), "after one time constant");
});

test("a gap has the mean of it, and a restart of the daemon counts from nothing", () => {
  const recent = steady(10);
  recent.push(START + 30, [device("a", { since_start: moved(0, 5000 + 30_000) })]);
  near(recent.rates("a").received.at(-1), 1000, "after the gap");
  recent.push(START + 31, [device("a", { since_start: moved(0, 1000) })]);
  near(recent.rates("a").received.at(-1), 1000, "after the restart");
});

test("only the last ten minutes stay, however long it goes on", () => {
  const recent = steady(2000);
  const times = recent.times();
  assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) <= SPAN);
  near(recent.rates("a").received[0], 1000, "the first of them");
  // What moved long ago is nobody's any more.
  for (let time = 2001; time < 3500; time += 1) recent.push(START + time, []);
  assert.deepEqual(recent.ranking(), []);
  for (const rate of recent.rates("a").received) near(rate + 1, 1, "nothing");
});

test("history fills what was before, and what came since stays", () => {
  const recent = steady(5);
  const points = Array.from({ length: 100 }, (_, second) =>
    point(new Date((START - 100 + second) * 1000).toISOString(), 1, 0, 3000),
  );
  const minute = point(new Date((START - 160) * 1000).toISOString(), 60, 0, 60 * 3000);
  recent.fill(new Map([[ALL, [minute, ...points]], ["a", [minute, ...points]]]));
  const [times, { received }] = [recent.times(), recent.rates("a")];
  assert.equal(times.length, received.length);
  assert.ok(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0)), "in order, nothing twice");
  near(times[0], START - 155, "the minute is told by parts of it");
  near(received[3], 3000, "in the minute");
  near(received.at(-7), 3000, "before the page");
  near(recent.ranking()[0]?.[1], 160 * 3000 + 6000, "all bytes");
});

test("on a router, what stays in the local networks is not on the line", () => {
  const local = { ...moved(0, 5000), received_local: 4000 };
  const recent = new Recent();
  recent.begin(START, 1, [device("a", { received_rate: 1000, received_local_rate: 400, since_start: local })], false);
  recent.push(START + 1, [device("a", { since_start: { ...moved(0, 6000), received_local: 4400 } })]);
  for (const rate of recent.rates("a").received) near(rate, 600, "without the local part");
  const point_ = { ...point(new Date((START - 10) * 1000).toISOString(), 1, 0, 1000), received_local: 400 };
  recent.fill(new Map([[ALL, [point_]]]));
  near(recent.rates(ALL).received[0], 600, "nor was it before");
});
