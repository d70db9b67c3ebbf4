/** Which stretch of time a chart shows: presets, zoom and pan. All in seconds since 1970. */

export interface Range {
  from: number;
  to: number;
}

export const PRESETS = [
  { name: "1 h", label: "1 hour", seconds: 3600 },
  { name: "1 d", label: "1 day", seconds: 86400 },
  { name: "1 w", label: "1 week", seconds: 7 * 86400 },
  { name: "1 m", label: "1 month", seconds: 30 * 86400 },
  { name: "1 y", label: "1 year", seconds: 365 * 86400 },
] as const;

/** Nothing is told more finely than this. */
export const SHORTEST = 120;
export const LONGEST = 20 * 365 * 86400;

/** The last `seconds` up to `now`. */
export function latest(seconds: number, now: number): Range {
  return { from: now - seconds, to: now };
}

/** Narrower (`factor` < 1) or wider, with `around` where it was. */
export function zoomed(range: Range, factor: number, around: number, now: number): Range {
  const length = Math.min(Math.max((range.to - range.from) * factor, SHORTEST), LONGEST);
  const place = Math.min(Math.max((around - range.from) / (range.to - range.from), 0), 1);
  return notBeyond({ from: around - place * length, to: around + (1 - place) * length }, now);
}

/** Moved by a part of its length: −0.5 is half of it back. */
export function panned(range: Range, part: number, now: number): Range {
  const by = (range.to - range.from) * part;
  return notBeyond({ from: range.from + by, to: range.to + by }, now);
}

/** A chosen stretch, made long enough. */
export function chosen(from: number, to: number, now: number): Range {
  const middle = (from + to) / 2;
  const half = Math.max(Math.abs(to - from), SHORTEST) / 2;
  return notBeyond({ from: middle - half, to: middle + half }, now);
}

/** Nothing is known of the future. */
function notBeyond({ from, to }: Range, now: number): Range {
  const beyond = Math.max(0, to - now);
  return { from: from - beyond, to: to - beyond };
}
