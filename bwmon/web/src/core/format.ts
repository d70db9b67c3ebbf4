/** Numbers as people read them: `12.3 Mbit/s`, `4.50 GB`, `5 h 1 min`. Decimal units throughout. */

/** Whether rates are shown in bits or in bytes. */
export type RateUnit = "bits" | "bytes";

/** A number and its unit, which are set apart on the page. */
export interface Quantity {
  value: string;
  unit: string;
}

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const BITS = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s"];
const BYTES = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s", "EB/s"];
const DIGITS = 3;

/** Bytes per second as a rate. */
export function rate(bytesPerSecond: number, unit: RateUnit): Quantity {
  return unit === "bits" ? scaled(bytesPerSecond * 8, BITS) : scaled(bytesPerSecond, BYTES);
}

/** A size. */
export function size(bytes: number): Quantity {
  return scaled(bytes, SIZES);
}

export function rateText(bytesPerSecond: number, unit: RateUnit): string {
  return text(rate(bytesPerSecond, unit));
}

export function sizeText(bytes: number): string {
  return text(size(bytes));
}

/** A size somebody chose: `50 MB`, not `50.0 MB`. */
export function plainSize(bytes: number): string {
  return text(plain(size(bytes)));
}

/** A rate somebody chose: `20 Mbit/s`. */
export function plainRate(bytesPerSecond: number, unit: RateUnit): string {
  return text(plain(rate(bytesPerSecond, unit)));
}

/** A duration in its two largest units: `5 h 1 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) return pair(days, "d", hours, "h");
  if (hours > 0) return pair(hours, "h", minutes, "min");
  if (minutes > 0) return pair(minutes, "min", whole % 60, "s");
  return `${whole} s`;
}

/** How long ago: `3 min ago`, coarse on purpose, so that it does not change each second. */
export function ago(seconds: number): string {
  if (seconds < 10) return "now";
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** 0 to 1 as a percentage. */
export function percent(part: number): string {
  const value = part * 100;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

/** Coverage, of which 99.99 % is not yet all. Never rounded up to 100. */
export function coverage(part: number): string {
  if (part >= 1) return "100 %";
  return `${(Math.floor(part * 10000) / 100).toFixed(2)} %`;
}

/** A whole number with thin spaces between thousands. */
export function count(number: number): string {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

export function text({ value, unit }: Quantity): string {
  return `${value}\u00a0${unit}`;
}

/** A round number at or above `value`, for the end of an axis. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * unit >= value * (1 - 1e-9)) ?? 10;
  return step * unit;
}

function plain({ value, unit }: Quantity): Quantity {
  return { value: value.includes(".") ? value.replace(/\.?0+$/, "") : value, unit };
}

function scaled(value: number, units: readonly string[]): Quantity {
  let rest = Number.isFinite(value) ? Math.max(0, value) : 0;
  let index = 0;
  // Rounding can reach the next unit: 999.95 kB is 1.00 MB.
  while (index + 1 < units.length && Number(rest.toFixed(index === 0 ? 0 : decimals(rest))) >= 1000) {
    rest /= 1000;
    index += 1;
  }
  return { value: index === 0 ? rest.toFixed(0) : rest.toFixed(decimals(rest)), unit: units[index] ?? "" };
}

function decimals(value: number): number {
  // What is rounded up to the next power of ten has one digit less: 9.996 is 10.0.
  if (value < 9.995) return DIGITS - 1;
  return value < 99.95 ? DIGITS - 2 : 0;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
