/** Where the alerts of a timeline are drawn: one lane a device, and a bar from start to end. */

import type { Alert } from "./types.ts";

export interface Bar {
  alert: Alert;
  /** Parts of the width, 0 to 1. */
  left: number;
  width: number;
}

export interface Lane {
  id: string;
  name: string;
  bars: Bar[];
}

/** Lanes of the devices that had an alert between `from` and `to`, latest first; at most `most`. */
export function lanes(alerts: readonly Alert[], from: number, to: number, most: number): { lanes: Lane[]; more: number } {
  const all = new Map<string, Lane & { latest: number }>();
  for (const alert of alerts) {
    const start = Date.parse(alert.started_at) / 1000;
    const end = alert.ended_at === null ? to : Date.parse(alert.ended_at) / 1000;
    if (end < from || start > to) continue;
    const left = Math.max(0, (start - from) / (to - from));
    const right = Math.min(1, (end - from) / (to - from));
    const lane = all.get(alert.device.id) ?? { id: alert.device.id, name: alert.device.name, bars: [], latest: 0 };
    lane.bars.push({ alert, left, width: Math.max(0, right - left) });
    lane.latest = Math.max(lane.latest, end);
    all.set(alert.device.id, lane);
  }
  const sorted = [...all.values()].sort((a, b) => b.latest - a.latest);
  return { lanes: sorted.slice(0, most), more: Math.max(0, sorted.length - most) };
}

/** The span that has most of the alerts in it: a day, a week, a month or what it takes. */
export function spanOf(alerts: readonly Alert[], now: number): number {
  const oldest = Math.min(now, ...alerts.map((alert) => Date.parse(alert.started_at) / 1000));
  const spans = [3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 92 * 86400];
  return spans.find((span) => now - oldest <= span * 0.95) ?? 366 * 86400;
}

/** Round moments of local time between `from` and `to`, at most about `most`. */
export function ticks(from: number, to: number, most: number): number[] {
  const steps = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 2 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 91 * 86400];
  const step = steps.find((step) => (to - from) / step <= most) ?? 366 * 86400;
  const offset = -new Date(to * 1000).getTimezoneOffset() * 60;
  const ticks: number[] = [];
  for (let tick = Math.ceil((from + offset) / step) * step - offset; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}
