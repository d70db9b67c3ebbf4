/** A uPlot in a component: made once, resized with its place, fed with data. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "preact/hooks";
import { appearance, rateUnit } from "../settings.ts";
import { rate } from "../core/format.ts";
import { useStore } from "../store.ts";
import { colour } from "./colours.ts";

interface Props {
  /** Everything but the size. It is read once. */
  options: () => Omit<uPlot.Options, "width" | "height">;
  data: uPlot.AlignedData;
  /** What is shown of the time axis. */
  range: { from: number; to: number };
  /** What a screen reader says of it. */
  label: string;
  onPlot?: (plot: uPlot | null) => void;
}

export function Plot({ options, data, range, label, onPlot }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const look = useStore(appearance, (count) => count);

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const size = () => ({ width: Math.max(element.clientWidth, 40), height: Math.max(element.clientHeight, 40) });
    const made = new uPlot({ ...options(), ...size() }, data, element);
    plot.current = made;
    onPlot?.(made);
    const observer = new ResizeObserver(() => {
      const { width, height } = size();
      if (width !== made.width || height !== made.height) made.setSize({ width, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      onPlot?.(null);
      plot.current = null;
      made.destroy();
    };
  }, []);

  useEffect(() => {
    plot.current?.batch(() => {
      plot.current?.setData(data, false);
      plot.current?.setScale("x", { min: range.from, max: range.to });
    });
  }, [data, range.from, range.to]);

  useEffect(() => plot.current?.redraw(false, true), [look]);

  return <div class="plot" ref={place} role="img" aria-label={label} />;
}

/** The pixels of one rem, to which what is drawn keeps. */
export function rem(): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}

/** Axes as all charts have them: time below, rates (of both signs) at the left. */
export function axes(): uPlot.Axis[] {
  const font = `${Math.round(rem() * 0.75)}px ${getComputedStyle(document.body).fontFamily}`;
  const common = {
    font,
    stroke: () => colour("muted"),
    grid: { stroke: () => colour("grid"), width: 1 },
    ticks: { show: false },
  };
  return [
    { ...common, space: rem() * 5, size: rem() * 1.6, grid: { show: false }, values: times },
    {
      ...common,
      size: rem() * 5,
      space: rem() * 2.2,
      gap: rem() * 0.4,
      values: (_, values) => values.map((value) => axisRate(Math.abs(value))),
    },
  ];
}

/** Charts hold what is shown: bits or bytes. */
export function factor(): number {
  return rateUnit.get() === "bits" ? 8 : 1;
}

/** `value` as it is shown, to the end of a curve: `20 Mbit/s`. */
function axisRate(value: number): string {
  if (value === 0) return "0";
  const { value: number, unit } = rate(value / factor(), rateUnit.get());
  return `${number.includes(".") ? number.replace(/\.?0+$/, "") : number} ${unit}`;
}

const TWO = (number: number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Times of day, and the date where a day begins. */
function times(_: uPlot, splits: number[], __: number, ___: number, step: number): string[] {
  return splits.map((split) => {
    const at = new Date(split * 1000);
    const day = `${at.getDate()} ${MONTHS[at.getMonth()]}`;
    if (step >= 86400 * 27) return at.getMonth() === 0 ? String(at.getFullYear()) : (MONTHS[at.getMonth()] ?? "");
    if (step >= 86400 || (at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0)) return day;
    const time = `${TWO(at.getHours())}:${TWO(at.getMinutes())}`;
    return step < 60 ? `${time}:${TWO(at.getSeconds())}` : time;
  });
}
