/** The colours of the style sheet, for what is drawn on a canvas. */

import { appearance } from "../settings.ts";

/** Devices with a colour of their own in a chart. */
export const COLOURS = 6;

const known = new Map<string, string>();
let knownAt = -1;
let probe: HTMLElement | undefined;

/** The colour `--name`, as it is in the theme in use. */
export function colour(name: string): string {
  if (knownAt !== appearance.get()) {
    known.clear();
    knownAt = appearance.get();
  }
  const before = known.get(name);
  if (before !== undefined) return before;
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${name})`;
  const value = getComputedStyle(probe).color;
  known.set(name, value);
  return value;
}

/** The same, so transparent. */
export function faint(name: string, alpha: number): string {
  const numbers = colour(name).match(/[\d.]+/g) ?? ["0", "0", "0"];
  return `rgba(${numbers.slice(0, 3).join(",")},${alpha})`;
}
