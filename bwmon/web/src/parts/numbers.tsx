/** Rates and sizes on the page, and bars of how much of something is used. */

import { percent, rate, size, sizeText, type Quantity, type RateUnit } from "../core/format.ts";
import { rateUnit } from "../settings.ts";
import { useStore } from "../store.ts";

export function useRateUnit(): RateUnit {
  return useStore(rateUnit, (unit) => unit);
}

/** A rate, its unit set back. */
export function Rate({ of }: { of: number }) {
  return <Number quantity={rate(of, useRateUnit())} />;
}

export function Size({ of }: { of: number }) {
  return <Number quantity={size(of)} />;
}

function Number({ quantity: { value, unit } }: { quantity: Quantity }) {
  return (
    <span class={value === "0" ? "num zero" : "num"}>
      {value} <span class="unit">{unit}</span>
    </span>
  );
}

/** How much of what is allowed is used. */
export function Meter({ part, used, of, label }: { part: number; used: string; of: string; label: string }) {
  const level = part >= 1 ? "over" : part >= 0.8 ? "near" : "fine";
  return (
    <span class={`meter meter-${level}`} title={`${used} of ${of}`}>
      <span class="meter-bar" aria-hidden="true">
        <i style={{ width: `${Math.min(part, 1) * 100}%` }} />
      </span>
      <span class="num">
        <span class="sr">{label}: </span>
        {percent(part)}
      </span>
    </span>
  );
}

/** `350 MB of 5 GB`. */
export function ofSize(used: number, of: number): string {
  return `${sizeText(used)} of ${sizeText(of)}`;
}
