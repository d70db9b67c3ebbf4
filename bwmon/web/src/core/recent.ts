/**
 * What moved in the last ten minutes, sample by sample: of each device, and of all together. On a router
 * it is internet traffic: what devices copy to each other is not on the line.
 *
 * Rates are smoothed as the daemon smooths those that it tells, so that the chart ends where the table
 * is: an exponentially weighted mean, k = exp(−Δt/τ) with τ = 5 s.
 */

import type { Device, Moved, Pair, Point } from "./types.ts";

/** How far back, in seconds. */
export const SPAN = 600;
/** The id of all devices together. */
export const ALL = "";
/** Most samples that are kept; closer together than a second they are put together. */
const PLACES = SPAN + 30;
const CLOSEST = 0.9;
/** What is longer, in seconds, is drawn as several samples. */
const LONGEST = 5;
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
  /** Seconds that each stands for. */
  #elapsed = new Float64Array(PLACES);
  /** How many samples there were ever; the last `PLACES` are kept. */
  #next = 0;
  #series = new Map<string, Series>();
  /** What each device had moved at the last sample that was kept. */
  #before = new Map<string, Pair>();
  #pending = new Map<string, Device>();
  #withLocal = true;

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

  /** From `at` on counted, where the rates are as the devices say; a sample is `interval` seconds long. */
  begin(at: number, interval: number, devices: Iterable<Device>, withLocal: boolean): void {
    this.clear();
    this.#withLocal = withLocal;
    const place = this.#place(at, interval);
    let [allSent, allReceived] = [0, 0];
    for (const device of devices) {
      this.#before.set(device.id, this.#counted(device.since_start));
      const left = withLocal ? 0 : interval;
      const sent = device.sent_rate * interval - device.sent_local_rate * left;
      const received = device.received_rate * interval - device.received_local_rate * left;
      if (sent === 0 && received === 0) continue;
      this.#add(device.id, place, sent, received);
      allSent += sent;
      allReceived += received;
    }
    this.#add(ALL, place, allSent, allReceived);
  }

  /** A sample at `at`, with the devices that changed. */
  push(at: number, changed: Iterable<Device>): void {
    for (const device of changed) this.#pending.set(device.id, device);
    const last = this.last;
    if (last !== undefined && at - last < CLOSEST) return;
    const place = this.#place(at, last === undefined ? 1 : at - last);
    let [allSent, allReceived] = [0, 0];
    for (const [id, { since_start }] of this.#pending) {
      const now = this.#counted(since_start);
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
    const first = this.#next === 0 ? Infinity : (this.#times[this.#first % PLACES] ?? Infinity);
    const earlier = this.#samplesOf(histories.get(ALL) ?? []).filter(({ time }) => time < first - CLOSEST / 2);
    if (earlier.length === 0) return;
    const old = this.#copy();
    this.#next = 0;
    this.#series.clear();
    const moved = new Map<string, Map<number, Pair>>();
    for (const [id, points] of histories) {
      moved.set(id, new Map(this.#samplesOf(points).map((sample) => [key(sample.time), sample])));
    }
    for (const { time, elapsed, through } of spaced(earlier)) {
      const place = this.#place(time, elapsed);
      for (const [id, of] of moved) {
        let [sent, received] = [0, 0];
        for (const moment of through) {
          const sample = of.get(key(moment));
          sent += sample?.sent ?? 0;
          received += sample?.received ?? 0;
        }
        this.#add(id, place, sent, received);
      }
    }
    old.times.forEach((time, index) => {
      const place = this.#place(time, old.elapsed[index] ?? 1);
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
    let [sent, received] = [0, 0];
    for (let number = first; number < this.#next; number += 1) {
      const place = number % PLACES;
      const elapsed = Math.max(this.#elapsed[place] ?? 0, 0.05);
      const has = series !== undefined && number < series.written;
      const now = has ? [(series.sent[place] ?? 0) / elapsed, (series.received[place] ?? 0) / elapsed] : [0, 0];
      // The first one stands for what was before it.
      const k = number === first ? 0 : Math.exp(-elapsed / TAU);
      sent = k * sent + (1 - k) * (now[0] ?? 0);
      received = k * received + (1 - k) * (now[1] ?? 0);
      rates.sent.push(sent);
      rates.received.push(received);
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

  #place(time: number, elapsed: number): number {
    this.#elapsed[this.#next % PLACES] = elapsed;
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

  /** Of what was moved, what counts here. */
  #counted({ sent, received, sent_local, received_local }: Moved): Pair {
    return this.#withLocal ? { sent, received } : { sent: sent - sent_local, received: received - received_local };
  }

  /** Points as samples: a long one (only minutes are kept of before) is several that are alike. */
  #samplesOf(points: readonly Point[]): Sample[] {
    return points.flatMap((point) => {
      const { at, seconds } = point;
      const { sent, received } = this.#counted(point);
      const parts = Math.max(1, Math.round(seconds / LONGEST));
      return Array.from({ length: parts }, (_, part) => ({
        time: Date.parse(at) / 1000 + (seconds * (part + 1)) / parts,
        elapsed: seconds / parts,
        sent: sent / parts,
        received: received / parts,
      }));
    });
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
    const elapsed = times.map((_, index) => this.#elapsed[(first + index) % PLACES] ?? 1);
    return { times, elapsed, series };
  }
}

/** To the tenth of a second: the same sample in two histories. */
function key(time: number): number {
  return Math.round(time * 10);
}

interface Sample extends Pair {
  /** When it ends, in seconds since 1970. */
  time: number;
  elapsed: number;
}

/** Samples that are not closer than they should be, each with those that it stands for. */
function spaced(samples: readonly Sample[]): { time: number; elapsed: number; through: number[] }[] {
  const kept: { time: number; elapsed: number; through: number[] }[] = [];
  let [last, elapsed, through]: [number, number, number[]] = [-Infinity, 0, []];
  for (const sample of samples) {
    through.push(sample.time);
    elapsed += sample.elapsed;
    if (sample.time - last < CLOSEST) continue;
    kept.push({ time: sample.time, elapsed, through });
    [last, elapsed, through] = [sample.time, 0, []];
  }
  return kept.slice(-PLACES);
}
