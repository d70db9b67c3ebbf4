/** When a device is active: what it moved in each hour of the week, by the router's clock. */

import type { Point } from "./types.ts";

export const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

export interface HourOfWeek {
  /** Mean bytes of that hour. */
  bytes: number;
  /** How many such hours are known. */
  hours: number;
}

/** Seven days, from Monday on, of 24 hours. Steps longer than an hour tell nothing of hours. */
export function byHourOfWeek(points: readonly Point[], isLocalToo: boolean): HourOfWeek[][] {
  const week = DAYS.map(() => Array.from({ length: 24 }, () => ({ bytes: 0, hours: 0 })));
  for (const point of points) {
    if (point.seconds > 3600) continue;
    const [day, hour] = wallClock(point.at);
    const place = week[day]?.[hour];
    if (!place) continue;
    const local = isLocalToo ? 0 : point.sent_local + point.received_local;
    place.bytes += point.sent + point.received - local;
    // The hour that has just begun is a part of one.
    place.hours += point.seconds / 3600;
  }
  for (const place of week.flat()) place.bytes = place.hours === 0 ? 0 : place.bytes / Math.max(place.hours, 0.05);
  return week;
}

/** Weekday (0: Monday) and hour, where the time was written. */
export function wallClock(at: string): [number, number] {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2})/.exec(at);
  if (!match) return [-1, -1];
  const [, year, month, day, hour] = match.map(Number);
  const weekday = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day)).getUTCDay();
  return [(weekday + 6) % 7, hour ?? -1];
}
