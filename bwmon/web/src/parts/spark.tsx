/** The last minutes of a device as a small line. */


import { sparkline } from "../core/stack.ts";

const [WIDTH, HEIGHT] = [96, 24];
/** What is less than this is shown as little: 10 kB/s. */
const LEAST = 10_000;
/** Points that are drawn; more can't be told apart. */
const POINTS = 48;

export function Spark({ values }: { values: readonly number[] }) {
  const means = thinned(values);
  const { line, area } = sparkline(means, WIDTH, HEIGHT, Math.max(LEAST, ...means));
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="spark-area" d={area} />
      <path class="spark-line" d={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

function thinned(values: readonly number[]): number[] {
  if (values.length <= POINTS) return [...values];
  const size = Math.ceil(values.length / POINTS);
  const means: number[] = [];
  // From the end, so that the last one is always whole.
  for (let end = values.length; end > 0; end -= size) {
    const part = values.slice(Math.max(0, end - size), end);
    means.unshift(part.reduce((a, b) => a + b, 0) / part.length);
  }
  return means;
}
