/** The last ten minutes of a device as a small line. */

import { SPAN } from "../core/recent.ts";
import { sparkline, thinned } from "../core/stack.ts";

const [WIDTH, HEIGHT] = [96, 24];
/** What is less than this is shown as little: 10 kB/s. */
const LEAST = 10_000;
/** Points that are drawn; more can't be told apart. */
const POINTS = 60;

export function Spark({ times, values }: { times: readonly number[]; values: readonly number[] }) {
  const points = thinned(times, values, SPAN, POINTS);
  const { line, area } = sparkline(points, WIDTH, HEIGHT, Math.max(LEAST, ...points.map((point) => point.value)));
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="spark-area" d={area} />
      <path class="spark-line" d={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
