/** Series on top of each other, for a stacked chart. */

/** The running sums: the first is `values[0]`, the last all of them together. */
export function stacked(values: readonly (readonly number[])[]): number[][] {
  const sums: number[][] = [];
  let below: readonly number[] = [];
  for (const series of values) {
    const sum = series.map((value, index) => value + (below[index] ?? 0));
    sums.push(sum);
    below = sum;
  }
  return sums;
}

/** `all` without what is in `parts`, and never less than nothing. */
export function rest(all: readonly number[], parts: readonly (readonly number[])[]): number[] {
  return all.map((value, index) => Math.max(0, parts.reduce((left, part) => left - (part[index] ?? 0), value)));
}

/**
 * Which devices have a colour of their own: the `most` that moved most. Who has one keeps it as long as
 * it is among them, so that nobody changes colours while somebody looks.
 */
export function withColours(before: ReadonlyMap<string, number>, ranking: readonly string[], most: number): Map<string, number> {
  // A little patience for who has one already.
  const stays = new Set(ranking.slice(0, most + 1).filter((id) => before.has(id)).slice(0, most));
  for (const id of ranking.slice(0, most)) if (stays.size < most) stays.add(id);
  const free = Array.from({ length: most }, (_, colour) => colour);
  const next = new Map<string, number>();
  for (const [id, colour] of before) {
    if (!stays.has(id) || next.size >= most) continue;
    next.set(id, colour);
    free.splice(free.indexOf(colour), 1);
  }
  for (const id of ranking) {
    const colour = free[0];
    if (stays.has(id) && !next.has(id) && colour !== undefined) {
      next.set(id, colour);
      free.shift();
    }
  }
  return next;
}

/** The path of a small line chart, `width` × `height`, from 0 at the bottom; `at` are parts of the width. */
export function sparkline(
  points: readonly { at: number; value: number }[],
  width: number,
  height: number,
  highest: number,
): { line: string; area: string } {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 2) return { line: "", area: "" };
  const x = (at: number) => (at * width).toFixed(1);
  const y = (value: number) => (height - 1 - (Math.min(value, highest) / highest) * (height - 2)).toFixed(1);
  const line = `M${points.map(({ at, value }) => `${x(at)} ${y(value)}`).join("L")}`;
  return { line, area: `${line}L${x(last.at)} ${height}L${x(first.at)} ${height}Z` };
}

/** `values` at `times`, thinned to means of about `most`, over the last `span`. The last ones are always whole. */
export function thinned(times: readonly number[], values: readonly number[], span: number, most: number): { at: number; value: number }[] {
  const last = times.at(-1) ?? 0;
  const size = Math.max(1, Math.ceil(times.length / most));
  const points: { at: number; value: number }[] = [];
  for (let end = times.length; end > 0; end -= size) {
    const part = values.slice(Math.max(0, end - size), end);
    const value = part.reduce((a, b) => a + b, 0) / part.length;
    points.unshift({ at: 1 - (last - (times[end - 1] ?? last)) / span, value });
  }
  return points;
}
