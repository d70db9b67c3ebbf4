import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser } from "../src/core/sse.ts";

const STREAM = ": hello\n\nevent: snapshot\ndata: {\"a\":1}\n\nevent: alert\r\ndata:x\r\ndata: y\r\n\r\ndata: plain\n\nevent: nothing\n\nid: 7\nretry\ndata\n\n";
const EVENTS = [
  { event: "snapshot", data: '{"a":1}' },
  { event: "alert", data: "x\ny" },
  { event: "message", data: "plain" },
  { event: "message", data: "" },
];

test("events are read, however the stream is cut", () => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const parser = new EventParser();
    const events = [];
    for (let start = 0; start < STREAM.length; start += size) events.push(...parser.push(STREAM.slice(start, start + size)));
    assert.deepEqual(events, EVENTS, `pieces of ${size}`);
  }
});

test("a carriage return alone ends a line, too", () => {
  assert.deepEqual(new EventParser().push("data: a\r\rdata: b\r\n\r\n"), [
    { event: "message", data: "a" },
    { event: "message", data: "b" },
  ]);
});

test("an event that is not whole yet is none", () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push("event: snapshot\ndata: 1\n"), []);
  assert.deepEqual(parser.push("\n"), [{ event: "snapshot", data: "1" }]);
});

test("a line without an end is refused before it takes all memory", () => {
  const parser = new EventParser();
  const piece = "x".repeat(8 * 1024 * 1024);
  assert.throws(() => {
    for (let pieces = 0; pieces < 6; pieces += 1) parser.push(piece);
  }, RangeError);
});
