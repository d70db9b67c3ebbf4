import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, count, coverage, duration, percent, plainRate, plainSize, rateText, roundUp, sizeText } from "../src/core/format.ts";
import { plural, shown } from "../src/core/text.ts";

/** With spaces that may break a line, which are easier to read here. */
const plain = (text: string) => text.replaceAll("\u00a0", " ").replaceAll("\u202f", " ");

test("sizes have three digits, and a unit that fits", () => {
  for (const [bytes, expected] of [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [9994, "9.99 kB"],
    [9996, "10.0 kB"],
    [99_960, "100 kB"],
    [999_949, "1.00 MB"],
    [4_500_000_000, "4.50 GB"],
    [123_456_789_012, "123 GB"],
    [2.5e21, "2500 EB"],
    [-1, "0 B"],
    [Number.NaN, "0 B"],
  ] as const) {
    assert.equal(plain(sizeText(bytes)), expected, String(bytes));
  }
});

test("rates are bits, or bytes when somebody wants them", () => {
  assert.equal(plain(rateText(1_537_500, "bits")), "12.3 Mbit/s");
  assert.equal(plain(rateText(1_537_500, "bytes")), "1.54 MB/s");
  assert.equal(plain(rateText(0, "bits")), "0 bit/s");
  assert.equal(plain(rateText(125_000_000, "bits")), "1.00 Gbit/s");
});

test("what somebody chose is told as he chose it", () => {
  assert.equal(plain(plainSize(50_000_000)), "50 MB");
  assert.equal(plain(plainSize(1_500_000_000)), "1.5 GB");
  assert.equal(plain(plainSize(100_000_000)), "100 MB");
  assert.equal(plain(plainRate(2_500_000, "bits")), "20 Mbit/s");
});

test("durations have their two largest units", () => {
  for (const [seconds, expected] of [
    [0, "0 s"],
    [59.9, "59 s"],
    [60, "1 min"],
    [61, "1 min 1 s"],
    [18_060, "5 h 1 min"],
    [90_000, "1 d 1 h"],
    [-5, "0 s"],
  ] as const) {
    assert.equal(duration(seconds), expected);
  }
  assert.deepEqual([0, 25, 200, 7300, 200_000].map(ago), ["now", "20 s ago", "3 min ago", "2 h ago", "2 d ago"]);
});

test("what is not all is never 100 %", () => {
  assert.equal(coverage(1), "100 %");
  assert.equal(coverage(0.99999), "99.99 %");
  assert.equal(coverage(0.5), "50.00 %");
  assert.deepEqual([0, 0.0004, 0.034, 0.8, 1.2].map(percent), ["0.0 %", "< 0.1 %", "3.4 %", "80 %", "120 %"]);
});

test("large numbers are in groups of three", () => {
  assert.equal(plain(count(1_234_567)), "1 234 567");
  assert.equal(count(12), "12");
});

test("the end of an axis is a round number that is not less", () => {
  for (const [value, expected] of [
    [0, 1],
    [1, 1],
    [1.1, 1.5],
    [42_000_000, 50_000_000],
    [81, 100],
  ] as const) {
    assert.equal(roundUp(value), expected);
  }
});

test("words of others steer nothing", () => {
  for (const [text, expected] of [
    ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
    ["a\u202egnp.exe", "agnp.exe"],
    ["\u2066x\u2069\u200b", "x"],
    ["a\u0000b\u001b[31m\nc", "ab[31mc"],
    ["\u{e0041}tag", "tag"],
    ["", "\ufffd"],
    ["\u202e", "\ufffd"],
    ["Café 日本", "Café 日本"],
  ] as const) {
    assert.equal(shown(text), expected);
  }
  assert.equal(shown("x".repeat(1000)).length, 257);
  assert.deepEqual([plural(1, "device"), plural(2, "device")], ["1 device", "2 devices"]);
});
