/** What moved over time: zoom by drag or wheel, pan by shift-drag or touch, keys for all of it. */

import uPlot from "uplot";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { rateText, roundUp } from "../core/format.ts";
import { chosen, panned, zoomed, type Range } from "../core/range.ts";
import type { History, Point } from "../core/types.ts";
import { rateUnit } from "../settings.ts";
import { useStore } from "../store.ts";
import { faint, colour } from "./colours.ts";
import { axes, factor, Plot, rem } from "./plot.tsx";

const SMALLEST = 0.2;

interface Props {
  history: History | null;
  range: Range;
  /** Somebody chose another stretch. */
  onRange: (range: Range) => void;
  /** The point under the pointer. */
  onPoint: (point: Point | null) => void;
  label: string;
}

export function HistoryChart({ history, range, onRange, onPoint, label }: Props) {
  const unit = useStore(rateUnit, (unit) => unit);
  const latest = useRef({ history, range, onRange, onPoint });
  latest.current = { history, range, onRange, onPoint };
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = useMemo(() => columns(history), [history, unit]);

  useEffect(() => {
    const element = place.current;
    return element ? gestures(element, () => plot.current, () => latest.current.range, (next) => latest.current.onRange(next)) : undefined;
  }, []);

  return (
    <div
      class="history-chart"
      ref={place}
      tabIndex={0}
      role="group"
      aria-label={`${label} Arrow keys pan, plus and minus zoom.`}
      onKeyDown={(event) => onKey(event, range, onRange)}
    >
      <Plot
        options={() => options(latest)}
        data={data}
        range={range}
        label={label}
        onPlot={(made) => {
          plot.current = made;
        }}
      />
    </div>
  );
}

type Latest = { current: { history: History | null; range: Range; onRange: (range: Range) => void; onPoint: (point: Point | null) => void } };

/** Means of both directions and the peaks, as steps. */
function columns(history: History | null): uPlot.AlignedData {
  const points = history?.points ?? [];
  const scale = factor();
  const times = points.map((point) => Date.parse(point.at) / 1000);
  const mean = (bytes: number, { seconds }: Point) => (seconds > 0 ? (bytes * scale) / seconds : 0);
  const received = points.map((point) => mean(point.received, point));
  const sent = points.map((point) => -mean(point.sent, point));
  const peakReceived = points.map((point) => (point.peak_received_rate === null ? null : point.peak_received_rate * scale));
  const peakSent = points.map((point) => (point.peak_sent_rate === null ? null : -point.peak_sent_rate * scale));
  const last = points.at(-1);
  const all: (number | null)[][] = [times, received, sent, peakReceived, peakSent];
  // The last step is as wide as it is long.
  if (last) all.forEach((column, index) => column.push(index === 0 ? (times.at(-1) ?? 0) + last.seconds : (column.at(-1) ?? null)));
  return all as unknown as uPlot.AlignedData;
}

function options(latest: Latest): Omit<uPlot.Options, "width" | "height"> {
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const series = (name: string, isPeak: boolean): uPlot.Series => ({
    stroke: () => (isPeak ? faint(name, 0.35) : colour(name)),
    ...(isPeak ? {} : { fill: () => faint(name, 0.28) }),
    width: isPeak ? 1 : 1.5,
    points: { show: false },
    ...(stepped ? { paths: stepped } : {}),
  });
  return {
    padding: [rem() * 0.6, rem() * 1.2, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: false }, bind: { dblclick: () => null } },
    scales: { x: { time: true }, y: { range: yRange } },
    axes: axes(),
    series: [{}, series("rx", false), series("tx", false), series("rx", true), series("tx", true)],
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          latest.current.onRange(chosen(from, to, Date.now() / 1000));
        },
      ],
      setCursor: [
        (plot) => {
          const { history, onPoint } = latest.current;
          const left = plot.cursor.left ?? -1;
          onPoint(left < 0 || !history ? null : pointAt(history.points, plot.posToVal(left, "x")));
        },
      ],
    },
  };
}

/** The step that a time is in. */
function pointAt(points: readonly Point[], time: number): Point | null {
  return points.findLast((point) => Date.parse(point.at) / 1000 <= time) ?? null;
}

function yRange(plot: uPlot): uPlot.Range.MinMax {
  const { min, max } = plot.scales.x ?? {};
  const times = plot.data[0];
  const highest = (series: number) => {
    let highest = 0;
    plot.data[series]?.forEach((value, index) => {
      const time = times[index] ?? 0;
      if (value !== null && value !== undefined && time >= (min ?? -Infinity) - 86400 && time <= (max ?? Infinity)) {
        highest = Math.max(highest, Math.abs(value));
      }
    });
    return highest;
  };
  const [up, down] = [Math.max(highest(1), highest(3)), Math.max(highest(2), highest(4))];
  const least = Math.max(up, down, 1000 * factor());
  return [-roundUp(Math.max(down, least * SMALLEST)), roundUp(Math.max(up, least * SMALLEST))];
}

function onKey(event: KeyboardEvent, range: Range, onRange: (range: Range) => void): void {
  const now = Date.now() / 1000;
  const next = {
    ArrowLeft: () => panned(range, -0.25, now),
    ArrowRight: () => panned(range, 0.25, now),
    "+": () => zoomed(range, 0.5, (range.from + range.to) / 2, now),
    "=": () => zoomed(range, 0.5, (range.from + range.to) / 2, now),
    "-": () => zoomed(range, 2, (range.from + range.to) / 2, now),
  }[event.key];
  if (!next || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  onRange(next());
}

/** Wheel, shift-drag, one finger and two. */
function gestures(element: HTMLElement, plot: () => uPlot | null, range: () => Range, onRange: (range: Range) => void): () => void {
  const pointers = new Map<number, number>();
  let start: { range: Range; x: number; spread: number } | null = null;
  const over = () => plot()?.over;
  const part = (x: number) => {
    const box = over()?.getBoundingClientRect();
    return box && box.width > 0 ? (x - box.left) / box.width : 0.5;
  };
  const seconds = ({ from, to }: Range) => to - from;
  const middle = () => [...pointers.values()].reduce((a, b) => a + b, 0) / pointers.size;
  const spread = () => (pointers.size < 2 ? 0 : Math.abs([...pointers.values()].reduce((a, b) => a - b)));

  const onWheel = (event: WheelEvent) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const now = range();
    const isAcross = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (isAcross || event.shiftKey) {
      onRange(panned(now, ((isAcross ? event.deltaX : event.deltaY) / 1000) * 1.5, Date.now() / 1000));
    } else {
      const around = now.from + part(event.clientX) * seconds(now);
      onRange(zoomed(now, Math.exp(Math.max(-1, Math.min(1, event.deltaY / 400))), around, Date.now() / 1000));
    }
  };
  const begin = () => {
    start = pointers.size === 0 ? null : { range: range(), x: middle(), spread: spread() };
  };
  const onDown = (event: PointerEvent) => {
    if (event.pointerType === "mouse" && !event.shiftKey && event.button !== 1) return;
    event.stopPropagation();
    event.preventDefault();
    pointers.set(event.pointerId, event.clientX);
    element.setPointerCapture(event.pointerId);
    begin();
  };
  const onMove = (event: PointerEvent) => {
    if (!pointers.has(event.pointerId) || !start) return;
    pointers.set(event.pointerId, event.clientX);
    const width = over()?.getBoundingClientRect().width ?? 1;
    const now = Date.now() / 1000;
    let next = panned(start.range, -(middle() - start.x) / width, now);
    if (start.spread > 10 && spread() > 10) {
      next = zoomed(next, start.spread / spread(), next.from + part(middle()) * seconds(next), now);
    }
    onRange(next);
  };
  const onUp = (event: PointerEvent) => {
    if (pointers.delete(event.pointerId)) begin();
  };
  // uPlot listens to the mouse for its selection; what is a pan is not for it.
  const onMouse = (event: MouseEvent) => {
    if (event.shiftKey || event.button === 1) event.stopPropagation();
  };
  element.addEventListener("wheel", onWheel, { passive: false });
  element.addEventListener("pointerdown", onDown, true);
  element.addEventListener("mousedown", onMouse, true);
  element.addEventListener("pointermove", onMove);
  element.addEventListener("pointerup", onUp);
  element.addEventListener("pointercancel", onUp);
  return () => {
    element.removeEventListener("wheel", onWheel);
    element.removeEventListener("pointerdown", onDown, true);
    element.removeEventListener("mousedown", onMouse, true);
    element.removeEventListener("pointermove", onMove);
    element.removeEventListener("pointerup", onUp);
    element.removeEventListener("pointercancel", onUp);
  };
}

/** A point in words: for the line below the chart, and for who can't see it. */
export function pointText(point: Point, unit: "bits" | "bytes"): { received: string; sent: string } {
  const mean = (bytes: number) => rateText(point.seconds > 0 ? bytes / point.seconds : 0, unit);
  return { received: mean(point.received), sent: mean(point.sent) };
}
