/** The last ten minutes of everybody: received above, sent below, who moved most on top of each other. */

import type uPlot from "uplot";
import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { rateText, roundUp } from "../core/format.ts";
import { ALL, SPAN } from "../core/recent.ts";
import { rest, stacked, withColours } from "../core/stack.ts";
import { plural } from "../core/text.ts";
import { home, recent, samples } from "../live.ts";
import { Name } from "../parts/name.tsx";
import { deviceLink } from "../router.ts";
import { rateUnit } from "../settings.ts";
import { useStore } from "../store.ts";
import { clock } from "../parts/time.tsx";
import { COLOURS, colour } from "./colours.ts";
import { axes, factor, Plot, rem } from "./plot.tsx";

/** One for each colour, and the others. */
const LAYERS = COLOURS + 1;

/** The smaller direction has at least this part of the height of the larger one. */
const SMALLEST = 0.22;

interface Layer {
  id: string | null;
  colour: number;
  sent: number[];
  received: number[];
}

/** The layers from the middle outwards; those without a device are empty. */
function useLayers(): { times: number[]; layers: Layer[] } {
  const count = useStore(samples, (count) => count);
  const colours = useRef(new Map<string, number>());
  return useMemo(() => {
    const times = recent.times();
    const ranking = recent.ranking().map(([id]) => id);
    colours.current = withColours(colours.current, ranking, COLOURS);
    const nothing = times.map(() => 0);
    const layers: Layer[] = Array.from({ length: COLOURS }, (_, colour) => ({
      id: null,
      colour,
      sent: nothing,
      received: nothing,
    }));
    for (const [id, place] of colours.current) {
      const layer = layers[place];
      if (layer) Object.assign(layer, { id, ...recent.rates(id) });
    }
    const all = recent.rates(ALL);
    layers.push({
      id: null,
      colour: COLOURS,
      sent: rest(all.sent, layers.map((layer) => layer.sent)),
      received: rest(all.received, layers.map((layer) => layer.received)),
    });
    return { times, layers };
  }, [count]);
}

export function LiveChart({ totals }: { totals: ComponentChildren }) {
  const { times, layers } = useLayers();
  const unit = useStore(rateUnit, (unit) => unit);
  const [cursor, setCursor] = useState<number | null>(null);
  const data = useMemo((): uPlot.AlignedData => {
    const scale = factor();
    const up = stacked(layers.map((layer) => layer.received.map((value) => value * scale)));
    const down = stacked(layers.map((layer) => layer.sent.map((value) => -value * scale)));
    // The outermost is drawn first, and what is nearer to the middle over it.
    return [times, ...up.reverse(), ...down.reverse()];
  }, [times, layers, unit]);
  const to = times.at(-1) ?? Date.now() / 1000;
  const index = cursor !== null && cursor < times.length ? cursor : times.length - 1;
  return (
    <div class="live">
      <div class="live-totals">{totals}</div>
      <div class="live-chart">
        <Plot
          options={() => options(setCursor)}
          data={data}
          range={{ from: to - SPAN, to }}
          label="Chart of the last ten minutes: received above, sent below, by device. The list beside it has the same in words."
        />
      </div>
      <Legend layers={layers} index={index} time={cursor === null ? null : (times[index] ?? null)} />
    </div>
  );
}

function Legend({ layers, index, time }: { layers: Layer[]; index: number; time: number | null }) {
  const devices = useStore(home, (home) => home.devices);
  const unit = useStore(rateUnit, (unit) => unit);
  const active = useMemo(() => [...devices.values()].filter((device) => device.sent_rate + device.received_rate > 0).length, [devices]);
  const shown = layers.filter((layer) => layer.id !== null || layer.sent.some(Boolean) || layer.received.some(Boolean));
  const bytes = (layer: Layer) => layer.sent.reduce((a, b) => a + b, 0) + layer.received.reduce((a, b) => a + b, 0);
  const order = [...shown].sort((a, b) => Number(a.id === null) - Number(b.id === null) || bytes(b) - bytes(a));
  return (
    <div class="legend">
      <p class="legend-time num">
        {time === null ? `${active} of ${plural(devices.size, "device")} active` : clock(time, true)}
      </p>
      <ul>
        {order.map((layer) => {
          const device = layer.id === null ? undefined : devices.get(layer.id);
          return (
            <li key={layer.id ?? "others"}>
              <i class={`swatch colour-${layer.colour}`} aria-hidden="true" />
              {layer.id === null ? (
                <span class="legend-name muted">all others</span>
              ) : (
                <a class="legend-name" href={deviceLink(layer.id)}>
                  <Name text={device?.name ?? layer.id} />
                </a>
              )}
              <span class="rx num">
                <span class="sr">received </span>
                {rateText(layer.received[index] ?? 0, unit)}
              </span>
              <span class="tx num">
                <span class="sr">sent </span>
                {rateText(layer.sent[index] ?? 0, unit)}
              </span>
            </li>
          );
        })}
      </ul>
      {order.length === 0 && <p class="muted">Nobody has sent or received anything yet.</p>}
    </div>
  );
}

function options(onCursor: (index: number | null) => void): Omit<uPlot.Options, "width" | "height"> {
  const layer = (place: number): uPlot.Series => {
    // 0 is the outermost, of which the number is the last.
    const number = LAYERS - 1 - (place % LAYERS);
    return { fill: () => colour(`c${number}`), stroke: () => colour("surface"), width: 0.6, points: { show: false } };
  };
  return {
    padding: [rem() * 0.5, rem() * 1.2, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
    scales: { x: { time: true }, y: { range: yRange } },
    axes: axes(),
    // The grid lies over the layers.
    drawOrder: ["series", "axes"] as unknown as uPlot.DrawOrderKey[],
    series: [{}, ...Array.from({ length: 2 * LAYERS }, (_, place) => layer(place))],
    hooks: {
      setCursor: [(plot) => onCursor((plot.cursor.left ?? -1) < 0 ? null : (plot.cursor.idx ?? null))],
      draw: [middle],
    },
  };
}

function yRange(plot: uPlot): uPlot.Range.MinMax {
  const highest = (series: number) => Math.max(0, ...[...(plot.data[series] ?? [])].map((value) => Math.abs(value ?? 0)));
  const [up, down] = [highest(1), highest(1 + LAYERS)];
  const least = Math.max(up, down, 1000 * factor());
  return [-roundUp(Math.max(down, least * SMALLEST)), roundUp(Math.max(up, least * SMALLEST))];
}

/** The line between what was received and what was sent. */
function middle(plot: uPlot): void {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(0, "y", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = colour("text");
  ctx.globalAlpha = 0.45;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

