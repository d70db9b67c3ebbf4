/** The hours of the week in which a device is active. */

import { sizeText } from "../core/format.ts";
import { DAYS, type HourOfWeek } from "../core/week.ts";

/** Steps of the scale, apart from nothing. */
const STEPS = 6;

export function HeatMap({ week }: { week: HourOfWeek[][] }) {
  const highest = Math.max(...week.flat().map((hour) => hour.bytes));
  // By the root, since hours differ by orders of magnitude.
  const step = (bytes: number) => (bytes <= 0 ? 0 : Math.max(1, Math.ceil(Math.sqrt(bytes / highest) * STEPS)));
  return (
    <div class="heat-place">
      <table class="heat">
        <caption class="sr">Mean of what was moved in each hour of the week, over the last four weeks</caption>
        <thead>
          <tr>
            <td />
            {Array.from({ length: 24 }, (_, hour) => (
              <th key={hour} scope="col">
                <span class={hour % 3 === 0 ? "" : "sr"}>{String(hour).padStart(2, "0")}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {week.map((hours, day) => (
            <tr key={day}>
              <th scope="row">{DAYS[day]}</th>
              {hours.map(({ bytes, hours }, hour) => {
                const words = hours === 0 ? "not known" : bytes < 1 ? "nothing" : sizeText(bytes);
                const at = `${DAYS[day]} ${String(hour).padStart(2, "0")}:00`;
                return (
                  <td key={hour} class={hours === 0 ? "heat-unknown" : `heat-${step(bytes)}`} title={`${at}: ${words}`}>
                    <span class="sr">{words}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="heat-scale muted" aria-hidden="true">
        less
        {Array.from({ length: STEPS + 1 }, (_, step) => (
          <i key={step} class={`heat-${step}`} />
        ))}
        more, up to {sizeText(highest)} in an hour
      </p>
    </div>
  );
}
