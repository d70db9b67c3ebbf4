/**
 * The table of devices. Of a long one only what is in sight is drawn, and of that only rows that changed.
 */

import type { VNode } from "preact";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { rateText, sizeText, plainSize, type RateUnit } from "../core/format.ts";
import { usedOfQuota } from "../core/home.ts";
import { descendingAtFirst, grouped, matching, partOfQuota, partOfThreshold, sorted, usedToday, type Column, type Order, type Row } from "../core/rows.ts";
import { plural } from "../core/text.ts";
import type { Alert, Device } from "../core/types.ts";
import { rem } from "../charts/plot.tsx";
import { home, recent, samples } from "../live.ts";
import { Icon } from "../parts/icons.tsx";
import { Name } from "../parts/name.tsx";
import { Meter, Rate, Size, useRateUnit } from "../parts/numbers.tsx";
import { Spark } from "../parts/spark.tsx";
import { deviceLink } from "../router.ts";
import { useStore } from "../store.ts";

/** From so many rows on, what is out of sight is left out. */
const WINDOWED = 80;
/** Rows beyond the edges, so that scrolling shows no gap. */
const BEYOND = 12;
/** Heights in rem, as the style sheet has them. */
const [ROW, NARROW_ROW] = [3.25, 5.25];
const NARROW = "(max-width: 760px)";

const HEADS: { column: Column | null; title: string; hint?: string }[] = [
  { column: "name", title: "Device" },
  { column: "received", title: "↓ now", hint: "Received now" },
  { column: "sent", title: "↑ now", hint: "Sent now" },
  { column: null, title: "10 min" },
  { column: "today", title: "Today" },
  { column: "threshold", title: "Of threshold", hint: "Part of the daily threshold" },
  { column: "quota", title: "Quota", hint: "Part of the quota of the billing cycle" },
  { column: "alerts", title: "Alerts" },
];

export function DeviceTable() {
  const devices = useStore(home, (home) => home.devices);
  const alerts = useStore(home, (home) => home.alerts);
  const countsEverything = useStore(home, (home) => home.status?.counts_every_address ?? false);
  const [order, setOrder] = useState<Order>({ column: "received", descending: true });
  const [filter, setFilter] = useState("");
  const [isGrouped, setGrouped] = useState(false);

  const hasGroups = useMemo(() => [...devices.values()].some((device) => device.group !== null), [devices]);
  const shown = useMemo(
    () => sorted(matching(devices.values(), filter), order, countsEverything),
    [devices, filter, order, countsEverything],
  );
  const rows = useMemo(
    (): Row[] => (isGrouped && hasGroups ? grouped(shown, countsEverything) : shown.map((device) => ({ kind: "device", device }))),
    [shown, isGrouped, hasGroups, countsEverything],
  );
  const sort = (column: Column) =>
    setOrder((order) => ({
      column,
      descending: order.column === column ? !order.descending : descendingAtFirst(column),
    }));
  return (
    <section class="card devices" aria-labelledby="devices-title">
      <div class="card-head">
        <h2 id="devices-title">
          Devices <span class="count num">{filter === "" ? devices.size : `${shown.length} of ${devices.size}`}</span>
        </h2>
        <div class="tools">
          {hasGroups && (
            <label class="check">
              <input type="checkbox" checked={isGrouped} onChange={(event) => setGrouped(event.currentTarget.checked)} />
              by group
            </label>
          )}
          <label class="narrow-only">
            <span class="sr">Order</span>
            <select value={order.column} onChange={(event) => sort(event.currentTarget.value as Column)}>
              {HEADS.map(({ column, title, hint }) => column && <option value={column}>{hint ?? title}</option>)}
            </select>
          </label>
          <label class="filter">
            <Icon name="search" />
            <span class="sr">Filter devices</span>
            <input
              type="search"
              placeholder="Name, address, vendor"
              value={filter}
              onInput={(event) => setFilter(event.currentTarget.value)}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
        </div>
      </div>
      <div class="table" role="table" aria-label="Devices" aria-rowcount={rows.length + 1}>
        <div role="rowgroup">
          <div class="row head" role="row" aria-rowindex={1}>
            {HEADS.map(({ column, title, hint }, index) => (
              <div
                key={title}
                role="columnheader"
                class={`cell cell-${index}`}
                {...(column && order.column === column
                  ? { "aria-sort": order.descending ? ("descending" as const) : ("ascending" as const) }
                  : {})}
              >
                {column === null ? (
                  title
                ) : (
                  <button type="button" class="sort" title={hint} onClick={() => sort(column)}>
                    <span aria-hidden={hint !== undefined}>{title}</span>
                    {hint !== undefined && <span class="sr">{hint}</span>}
                    {order.column === column && <i class={order.descending ? "arrow down" : "arrow"} aria-hidden="true" />}
                  </button>
                )}
              </div>
            ))}
          </div>
        </div>
        <Body rows={rows} alerts={alerts} countsEverything={countsEverything} />
      </div>
      {rows.length === 0 && (
        <p class="empty">{devices.size === 0 ? "No device was seen yet." : "No device has all of these words."}</p>
      )}
    </section>
  );
}

interface BodyProps {
  rows: readonly Row[];
  alerts: readonly Alert[];
  countsEverything: boolean;
}

function Body({ rows, alerts, countsEverything }: BodyProps) {
  const body = useRef<HTMLDivElement>(null);
  const count = useStore(samples, (count) => count);
  const unit = useRateUnit();
  const isNarrow = useMedia(NARROW);
  const { first, last, height } = useSight(body, rows.length, isNarrow ? NARROW_ROW : ROW);
  const drawn = useRef(new Map<string, { of: readonly unknown[]; row: VNode }>());

  const byId = useMemo(() => new Map(alerts.map((alert) => [alert.id, alert])), [alerts]);
  const times = useMemo(() => recent.times(), [count]);
  const busiest = useMemo(() => new Set(recent.ranking().map(([id]) => id)), [count]);
  const highest = useMemo(() => {
    let [sent, received] = [1, 1];
    for (const row of rows) {
      if (row.kind !== "device") continue;
      sent = Math.max(sent, row.device.sent_rate);
      received = Math.max(received, row.device.received_rate);
    }
    return { sent, received };
  }, [rows]);

  const before = drawn.current;
  const next: typeof before = new Map();
  const visible = rows.slice(first, last).map((row, index) => {
    const place = first + index;
    if (row.kind === "group") return <GroupRow key={`group ${row.name}`} row={row} place={place} />;
    const { device } = row;
    const isBusy = busiest.has(device.id);
    // Of who moves nothing all stays as it is.
    const isMoving = device.sent_rate + device.received_rate > 0;
    const of = [device, place, unit, byId, countsEverything, isBusy ? count : 0, isMoving ? highest.sent : 0, isMoving ? highest.received : 0];
    const old = before.get(device.id);
    const drawing =
      old && old.of.every((value, index) => Object.is(value, of[index]))
        ? old
        : { of, row: <DeviceRow key={device.id} device={device} place={place} alerts={byId} countsEverything={countsEverything} times={isBusy ? times : []} spark={isBusy ? both(device.id) : []} highest={highest} /> };
    next.set(device.id, drawing);
    return drawing.row;
  });
  drawn.current = next;
  return (
    <div role="rowgroup" ref={body} style={{ paddingTop: `${first * height}px`, paddingBottom: `${(rows.length - last) * height}px` }}>
      {visible}
    </div>
  );
}

function both(id: string): number[] {
  const { sent, received } = recent.rates(id);
  return sent.map((value, index) => value + (received[index] ?? 0));
}

interface RowProps {
  device: Device;
  place: number;
  alerts: ReadonlyMap<string, Alert>;
  countsEverything: boolean;
  times: readonly number[];
  spark: readonly number[];
  highest: { sent: number; received: number };
}

function DeviceRow({ device, place, alerts, countsEverything, times, spark, highest }: RowProps) {
  const { thresholds, cycle } = device;
  const unit = useRateUnit();
  const ofThreshold = partOfThreshold(device, countsEverything);
  const ofQuota = partOfQuota(device, countsEverything);
  const address = device.addresses.find((address) => address.includes(".")) ?? device.addresses[0] ?? device.mac ?? device.id;
  const second = [address === device.name ? null : address, device.vendor].filter((text) => text !== null);
  return (
    <div class="row" role="row" aria-rowindex={place + 2} data-device={device.id}>
      <div role="cell" class="cell cell-0">
        <a href={deviceLink(device.id)}>
          <Name text={device.name} />
        </a>
        <span class="second">
          {second.map((text) => (
            <Name key={text} text={text} />
          ))}
          {device.group !== null && <span class="tag"><Name text={device.group} /></span>}
        </span>
      </div>
      <div role="cell" class="cell cell-1 rx" title={localPart(device.received_local_rate, unit)}>
        <span class="sr">received </span>
        <Rate of={device.received_rate} />
        <Bar part={device.received_rate / highest.received} />
      </div>
      <div role="cell" class="cell cell-2 tx" title={localPart(device.sent_local_rate, unit)}>
        <span class="sr">sent </span>
        <Rate of={device.sent_rate} />
        <Bar part={device.sent_rate / highest.sent} />
      </div>
      <div role="cell" class="cell cell-3">
        <Spark times={times} values={spark} />
      </div>
      <div role="cell" class="cell cell-4">
        <Size of={device.today.sent + device.today.received} />
      </div>
      <div role="cell" class="cell cell-5">
        {ofThreshold !== undefined && thresholds.bandwidth_threshold !== null ? (
          <Meter part={ofThreshold} used={sizeText(usedToday(device, countsEverything))} of={plainSize(thresholds.bandwidth_threshold)} label="of the threshold" />
        ) : (
          <span class="zero" title="no daily threshold">–</span>
        )}
      </div>
      <div role="cell" class="cell cell-6">
        {ofQuota !== undefined && cycle?.quota ? (
          <Meter part={ofQuota} used={sizeText(usedOfQuota(device, countsEverything))} of={plainSize(cycle.quota)} label="of the quota" />
        ) : (
          <span class="zero" title="no quota">–</span>
        )}
      </div>
      <div role="cell" class="cell cell-7">
        <Marks ids={device.alerts} alerts={alerts} isMuted={device.muted} />
      </div>
    </div>
  );
}

/** How much of a rate stays in the local networks. */
function localPart(rate: number, unit: RateUnit): string | undefined {
  return rate > 0 ? `of this ${rateText(rate, unit)} in the local networks` : undefined;
}

function Bar({ part }: { part: number }) {
  return (
    <span class="bar" aria-hidden="true">
      <i style={{ width: `${Math.min(1, part) * 100}%` }} />
    </span>
  );
}

/** Which alerts a device has. */
function Marks({ ids, alerts, isMuted }: { ids: readonly string[]; alerts: ReadonlyMap<string, Alert>; isMuted: boolean }) {
  const open = ids.map((id) => alerts.get(id)).filter((alert) => alert?.state === "firing");
  return (
    <>
      {open.map(
        (alert) =>
          alert && (
            <span key={alert.id} class={`mark mark-${alert.acknowledged_at === null ? alert.severity : "seen"}`} title={alert.description}>
              <Icon name="warning" />
              <span class="sr">{alert.rule} alert</span>
            </span>
          ),
      )}
      {isMuted && (
        <span class="mark mark-seen" title="muted by its entry">
          <Icon name="mute" />
          <span class="sr">muted</span>
        </span>
      )}
    </>
  );
}

function GroupRow({ row, place }: { row: Extract<Row, { kind: "group" }>; place: number }) {
  const unit = useRateUnit();
  return (
    <div class="row group" role="row" aria-rowindex={place + 2}>
      <div role="cell" class="cell cell-0">
        {row.name === null ? (
          <span class="muted">in no group</span>
        ) : (
          <a href={deviceLink(`group:${row.name}`)}>
            <Name text={row.name} />
          </a>
        )}
        <span class="second">{plural(row.count, "device")}</span>
      </div>
      <div role="cell" class="cell cell-1 rx num">{rateText(row.receivedRate, unit)}</div>
      <div role="cell" class="cell cell-2 tx num">{rateText(row.sentRate, unit)}</div>
      <div role="cell" class="cell cell-3" />
      <div role="cell" class="cell cell-4 num">{sizeText(row.today)}</div>
      <div role="cell" class="cell cell-5" />
      <div role="cell" class="cell cell-6" />
      <div role="cell" class="cell cell-7" />
    </div>
  );
}

/** Which rows are in sight. */
function useSight(body: { current: HTMLElement | null }, count: number, rowRem: number): { first: number; last: number; height: number } {
  const [, look] = useReducer((count: number) => count + 1, 0);
  const isWindowed = count > WINDOWED;
  useEffect(() => {
    if (!isWindowed) return undefined;
    let frame = 0;
    const later = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => look(0));
    };
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later, { passive: true });
    look(0);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", later);
      removeEventListener("resize", later);
    };
  }, [isWindowed]);
  const height = rowRem * rem();
  if (!isWindowed) return { first: 0, last: count, height };
  const top = body.current?.getBoundingClientRect().top ?? 0;
  const first = Math.max(0, Math.min(count, Math.floor(-top / height)) - BEYOND);
  const last = Math.min(count, Math.max(0, Math.ceil((innerHeight - top) / height)) + BEYOND);
  return { first, last: Math.max(first, last), height };
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const look = () => setMatches(media.matches);
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, [query]);
  return matches;
}
