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

/** The path of a small line chart, `width` × `height`, from 0 at the bottom. */
export function sparkline(values: readonly number[], width: number, height: number, highest: number): { line: string; area: string } {
  if (values.length < 2) return { line: "", area: "" };
  const step = width / (values.length - 1);
  const y = (value: number) => (height - 1 - (Math.min(value, highest) / highest) * (height - 2)).toFixed(1);
  const points = values.map((value, index) => `${(index * step).toFixed(1)} ${y(value)}`);
  const line = `M${points.join("L")}`;
  return { line, area: `${line}L${width} ${height}L0 ${height}Z` };
}
