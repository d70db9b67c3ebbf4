/**
 * What moved in the last ten minutes, sample by sample: of each device, and of all together.
 *
 * Rates are smoothed as the daemon smooths those that it tells, so that the chart ends where the table
 * is: an exponentially weighted mean, k = exp(−Δt/τ) with τ = 5 s.
 */

import type { Device, Moved, Point } from "./types.ts";

/** How far back, in seconds. */
export const SPAN = 600;
/** The id of all devices together. */
export const ALL = "";
/** Most samples that are kept; closer together than a second they are put together. */
const PLACES = SPAN + 30;
const CLOSEST = 0.9;
const TAU = 5;

interface Series {
  sent: Float64Array;
  received: Float64Array;
  /** The number of the sample up to which it has been written. */
  written: number;
}

export interface Rates {
  /** Bytes per second, one for each of the times. */
  sent: number[];
  received: number[];
}

export class Recent {
  #times = new Float64Array(PLACES);
  /** How many samples there were ever; the last `PLACES` are kept. */
  #next = 0;
  #series = new Map<string, Series>();
  /** What each device had moved at the last sample that was kept. */
  #before = new Map<string, Moved>();
  #pending = new Map<string, Device>();

  /** Forgets all. */
  clear(): void {
    this.#next = 0;
    this.#series.clear();
    this.#before.clear();
    this.#pending.clear();
  }

  /** The time of the last sample, in seconds since 1970. */
  get last(): number | undefined {
    return this.#next === 0 ? undefined : this.#times[(this.#next - 1) % PLACES];
  }

  /** From here on counted: what devices have moved by now. */
  begin(devices: Iterable<Device>): void {
    for (const device of devices) this.#before.set(device.id, device.since_start);
  }

  /** A sample at `at`, with the devices that changed. */
  push(at: number, changed: Iterable<Device>): void {
    for (const device of changed) this.#pending.set(device.id, device);
    const last = this.last;
    if (last !== undefined && at - last < CLOSEST) return;
    const place = this.#place(at);
    let [allSent, allReceived] = [0, 0];
    for (const [id, { since_start: now }] of this.#pending) {
      const before = this.#before.get(id);
      this.#before.set(id, now);
      // It has begun anew since, with the daemon.
      const isLess = before !== undefined && (now.sent < before.sent || now.received < before.received);
      const sent = now.sent - (before && !isLess ? before.sent : 0);
      const received = now.received - (before && !isLess ? before.received : 0);
      if (sent === 0 && received === 0) continue;
      this.#add(id, place, sent, received);
      allSent += sent;
      allReceived += received;
    }
    this.#pending.clear();
    this.#add(ALL, place, allSent, allReceived);
  }

  /** What was before the first sample, as the history of all (`ALL`) and of some devices has it. */
  fill(histories: ReadonlyMap<string, readonly Point[]>): void {
    const times = (histories.get(ALL) ?? []).map((point) => Date.parse(point.at) / 1000 + point.seconds);
    const first = this.#next === 0 ? Infinity : (this.#times[this.#first] ?? Infinity);
    const earlier = times.filter((time) => time < first - CLOSEST / 2);
    if (earlier.length === 0) return;
    const old = this.#copy();
    this.#next = 0;
    this.#series.clear();
    const points = new Map<string, Map<number, Point>>();
    for (const [id, list] of histories) {
      points.set(id, new Map(list.map((point) => [key(Date.parse(point.at) / 1000 + point.seconds), point])));
    }
    const kept = spaced(earlier);
    for (const [time, through] of kept) {
      const place = this.#place(time);
      for (const [id, of] of points) {
        let [sent, received] = [0, 0];
        for (const moment of through) {
          const point = of.get(key(moment));
          sent += point?.sent ?? 0;
          received += point?.received ?? 0;
        }
        this.#add(id, place, sent, received);
      }
    }
    old.times.forEach((time, index) => {
      const place = this.#place(time);
      for (const [id, series] of old.series) this.#add(id, place, series.sent[index] ?? 0, series.received[index] ?? 0);
    });
  }

  /** The times of the samples that are kept, oldest first. */
  times(): number[] {
    const times: number[] = [];
    for (let number = this.#first; number < this.#next; number += 1) times.push(this.#times[number % PLACES] ?? 0);
    return times;
  }

  /** The smoothed rates of a device, or of all, at those times. */
  rates(id: string): Rates {
    const [first, series] = [this.#first, this.#series.get(id)];
    const rates: Rates = { sent: [], received: [] };
    let [sent, received, before] = [0, 0, this.#times[first % PLACES] ?? 0];
    for (let number = first; number < this.#next; number += 1) {
      const place = number % PLACES;
      const time = this.#times[place] ?? 0;
      const elapsed = Math.max(number === first ? 1 : time - before, 0.05);
      const weight = Math.exp(-elapsed / TAU);
      const has = series !== undefined && number < series.written;
      const now = has ? [(series.sent[place] ?? 0) / elapsed, (series.received[place] ?? 0) / elapsed] : [0, 0];
      // The first one stands for what was before it.
      const k = number === first ? 0 : weight;
      sent = k * sent + (1 - k) * (now[0] ?? 0);
      received = k * received + (1 - k) * (now[1] ?? 0);
      rates.sent.push(sent);
      rates.received.push(received);
      before = time;
    }
    return rates;
  }

  /** The bytes that each device moved in all that is kept, without `ALL`, the most first. */
  ranking(): [string, number][] {
    const first = this.#first;
    const ranking: [string, number][] = [];
    for (const [id, series] of this.#series) {
      if (id === ALL) continue;
      let bytes = 0;
      for (let number = first; number < series.written; number += 1) {
        bytes += (series.sent[number % PLACES] ?? 0) + (series.received[number % PLACES] ?? 0);
      }
      if (bytes > 0) ranking.push([id, bytes]);
      else if (series.written + PLACES < this.#next) this.#series.delete(id);
    }
    return ranking.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }

  /** The number of the oldest sample that is kept and not too old. */
  get #first(): number {
    let first = Math.max(0, this.#next - PLACES);
    const last = this.last ?? 0;
    while (first < this.#next && (this.#times[first % PLACES] ?? 0) < last - SPAN) first += 1;
    return first;
  }

  #place(time: number): number {
    this.#times[this.#next % PLACES] = time;
    this.#next += 1;
    return this.#next - 1;
  }

  #add(id: string, number: number, sent: number, received: number): void {
    let series = this.#series.get(id);
    if (!series) {
      series = { sent: new Float64Array(PLACES), received: new Float64Array(PLACES), written: number };
      this.#series.set(id, series);
    }
    // What it did not write stands for nothing moved, not for what was there a round before.
    for (let empty = Math.max(series.written, number - PLACES); empty < number; empty += 1) {
      series.sent[empty % PLACES] = 0;
      series.received[empty % PLACES] = 0;
    }
    series.sent[number % PLACES] = sent;
    series.received[number % PLACES] = received;
    series.written = number + 1;
  }

  #copy() {
    const times = this.times();
    const first = this.#first;
    const series = new Map<string, { sent: number[]; received: number[] }>();
    for (const [id, of] of this.#series) {
      const at = (values: Float64Array) =>
        times.map((_, index) => (first + index < of.written ? (values[(first + index) % PLACES] ?? 0) : 0));
      series.set(id, { sent: at(of.sent), received: at(of.received) });
    }
    return { times, series };
  }
}

/** To the tenth of a second: the same sample in two histories. */
function key(time: number): number {
  return Math.round(time * 10);
}

/** Times that are not closer than they should be, each with those that it stands for. */
function spaced(times: readonly number[]): [number, number[]][] {
  const kept: [number, number[]][] = [];
  let [last, through]: [number, number[]] = [-Infinity, []];
  for (const time of times) {
    through.push(time);
    if (time - last < CLOSEST) continue;
    kept.push([time, through]);
    [last, through] = [time, []];
  }
  return kept.slice(-PLACES);
}
