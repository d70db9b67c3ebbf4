/** What somebody prefers in this browser: theme, units. Without a place to keep it, it lasts as long as the page. */

import { createStore } from "./store.ts";
import type { RateUnit } from "./core/format.ts";

export type Theme = "auto" | "light" | "dark";

const THEME = "bwmon.theme";
const UNIT = "bwmon.unit";

export const theme = createStore<Theme>(oneOf(read(THEME), ["auto", "light", "dark"]) ?? "auto");
export const rateUnit = createStore<RateUnit>(oneOf(read(UNIT), ["bits", "bytes"]) ?? "bits");

/** Changes whenever colours do. */
export const appearance = createStore(0);

/** Puts the theme on the page and follows the system's. */
export function followTheme(): void {
  const apply = () => {
    const chosen = theme.get();
    if (chosen === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    appearance.set(appearance.get() + 1);
  };
  apply();
  theme.subscribe(() => {
    write(THEME, theme.get());
    apply();
  });
  rateUnit.subscribe(() => write(UNIT, rateUnit.get()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
}

/** Where storage is refused, nothing is kept. */
export function read(key: string, storage: "localStorage" | "sessionStorage" = "localStorage"): string | null {
  try {
    return window[storage].getItem(key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string | null, storage: "localStorage" | "sessionStorage" = "localStorage"): void {
  try {
    if (value === null) window[storage].removeItem(key);
    else window[storage].setItem(key, value);
  } catch {
    // It lasts as long as the page.
  }
}

function oneOf<T extends string>(value: string | null, allowed: readonly T[]): T | undefined {
  return allowed.find((candidate) => candidate === value);
}
