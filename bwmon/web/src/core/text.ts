/** Words of others (devices choose their names) as they can be shown without harm. */

/** Longest text that is shown at all. */
const LONGEST = 256;

// Controls, and what turns the direction of text around it or can't be seen.
const HARMFUL = /[\p{Cc}\p{Cs}\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]/gu;

/** `text` without what steers, cut. What is left empty by that is shown as a replacement character. */
export function shown(text: string): string {
  const clean = text.slice(0, LONGEST).replace(HARMFUL, "").trim();
  if (clean === "") return "\ufffd";
  return text.length > LONGEST ? `${clean}…` : clean;
}

/** `new_device` as `new device`. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** `1 device`, `2 devices`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
