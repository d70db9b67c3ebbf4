/** One device, a group or an interface: what it moved over time, when it is active, what the owner says of it. */

import { useMemo, useState } from "preact/hooks";
import { api } from "../api/client.ts";
import { HeatMap } from "../charts/heat.tsx";
import { HistoryChart, pointText } from "../charts/history.tsx";
import { duration, plainSize, sizeText } from "../core/format.ts";
import { usedOfQuota } from "../core/home.ts";
import { partOfQuota, partOfThreshold, usedToday } from "../core/rows.ts";
import { latest, panned, PRESETS, zoomed, type Range } from "../core/range.ts";
import { shown } from "../core/text.ts";
import { byHourOfWeek } from "../core/week.ts";
import type { Device, History, Point } from "../core/types.ts";
import { alertChanges, home } from "../live.ts";
import { AlertItem, MuteDialog } from "../parts/alert.tsx";
import { ReadOnly, useCanChange, Wrong } from "../parts/action.tsx";
import { useAnswer } from "../parts/ask.ts";
import { Icon } from "../parts/icons.tsx";
import { Name } from "../parts/name.tsx";
import { Meter, Rate, Size, useRateUnit } from "../parts/numbers.tsx";
import { Ago, dateTime, dayText, shortTime } from "../parts/time.tsx";
import { useStore } from "../store.ts";
import { DeviceForm } from "./form.tsx";

/** How far back the hours of the week are looked at. */
const WEEKS = 4;

export function DevicePage({ id }: { id: string }) {
  const device = useStore(home, (home) => home.devices.get(id) ?? byAddress(home.devices, id));
  const kind = id.startsWith("group:") ? "Group" : id.startsWith("interface:") ? "Interface" : null;
  const name = device?.name ?? id.replace(/^(group|interface):/, "");
  const asked = device?.id ?? id;
  return (
    <>
      <p class="crumbs">
        <a href="#/">Overview</a>
      </p>
      <header class="page-head">
        <h1>
          <Name text={name} />
          {kind !== null && <span class="tag">{kind}</span>}
        </h1>
        {device && <Now device={device} />}
      </header>
      <ReadOnly />
      <div class="columns">
        <div class="column-main">
          <Past id={asked} name={name} />
          <Hours id={asked} />
          <Alerts id={asked} />
        </div>
        {device && (
          <div class="column-side">
            <Facts device={device} />
            <DeviceForm key={device.id} device={device} />
          </div>
        )}
      </div>
    </>
  );
}

function byAddress(devices: ReadonlyMap<string, Device>, id: string): Device | undefined {
  for (const device of devices.values()) if (device.mac === id || device.addresses.includes(id)) return device;
  return undefined;
}

function Now({ device }: { device: Device }) {
  return (
    <p class="page-now">
      <span class="rx">
        <Icon name="down" />
        <span class="sr">received now </span>
        <Rate of={device.received_rate} />
      </span>
      <span class="tx">
        <Icon name="up" />
        <span class="sr">sent now </span>
        <Rate of={device.sent_rate} />
      </span>
    </p>
  );
}

/** The chart of what it moved, with everything that changes its range. */
function Past({ id, name }: { id: string; name: string }) {
  const [range, setRange] = useState<Range>(() => latest(86400, Date.now() / 1000));
  const [preset, setPreset] = useState<number | null>(86400);
  const [point, setPoint] = useState<Point | null>(null);
  const [isTable, setTable] = useState(false);
  const now = () => Date.now() / 1000;
  const choose = (next: Range) => {
    setPreset(null);
    setRange(next);
  };
  const seconds = range.to - range.from;
  // While it follows the time, it is asked again as often as something changes.
  const every = preset === null ? undefined : Math.min(Math.max(seconds / 500, 5), 60);
  const key = `${id} ${preset ?? ""} ${Math.round(range.from)} ${Math.round(range.to)}`;
  const { value, error, isAsking } = useAnswer<{ history: History; range: Range }>(
    key,
    async (signal) => {
      const wanted = preset === null ? range : latest(preset, now());
      const time = (seconds: number) => new Date(seconds * 1000).toISOString();
      const history = await api.history({ device: id, from: time(wanted.from), to: time(wanted.to) }, signal);
      return { history, range: wanted };
    },
    { wait: 120, ...(every === undefined ? {} : { every }) },
  );
  const visible = preset !== null && value ? latest(preset, value.range.to) : range;
  return (
    <section class="card" aria-labelledby="past-title">
      <div class="card-head">
        <h2 id="past-title">Over time</h2>
        <div class="tools">
          <div class="segments" role="group" aria-label="Range">
            {PRESETS.map(({ name, label, seconds }) => (
              <button
                key={name}
                type="button"
                aria-pressed={preset === seconds}
                onClick={() => {
                  setPreset(seconds);
                  setRange(latest(seconds, now()));
                }}
              >
                <span aria-hidden="true">{name}</span>
                <span class="sr">{label}</span>
              </button>
            ))}
          </div>
          <div class="segments" role="group" aria-label="Move">
            <button type="button" aria-label="Earlier" onClick={() => choose(panned(visible, -0.5, now()))}>
              <Icon name="left" />
            </button>
            <button type="button" aria-label="Zoom out" onClick={() => choose(zoomed(visible, 2, (visible.from + visible.to) / 2, now()))}>
              <Icon name="minus" />
            </button>
            <button type="button" aria-label="Zoom in" onClick={() => choose(zoomed(visible, 0.5, (visible.from + visible.to) / 2, now()))}>
              <Icon name="plus" />
            </button>
            <button type="button" aria-label="Later" onClick={() => choose(panned(visible, 0.5, now()))}>
              <Icon name="right" />
            </button>
          </div>
        </div>
        <button type="button" class="button quiet" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {isTable ? "Chart" : "Table"}
        </button>
      </div>
      <Wrong text={error} />
      {isTable ? (
        <PointTable history={value?.history ?? null} />
      ) : (
        <HistoryChart
          history={value?.history ?? null}
          range={visible}
          onRange={choose}
          onPoint={setPoint}
          label={`What ${shown(name)} received and sent over time. The button Table shows it as a table.`}
        />
      )}
      <Caption history={value?.history ?? null} point={point} isAsking={isAsking && value === null} />
    </section>
  );
}

function Caption({ history, point, isAsking }: { history: History | null; point: Point | null; isAsking: boolean }) {
  const unit = useRateUnit();
  if (!history) return <p class="caption muted">{isAsking ? "Reading history…" : " "}</p>;
  if (point) {
    const { received, sent } = pointText(point, unit);
    return (
      <p class="caption num">
        {dateTime(point.at)}, {duration(point.seconds)}: <span class="rx">↓ {sizeText(point.received)}, {received}</span>{" "}
        <span class="tx">↑ {sizeText(point.sent)}, {sent}</span>
      </p>
    );
  }
  const [received, sent] = [sum(history, "received"), sum(history, "sent")];
  return (
    <p class="caption num">
      <span class="rx">↓ {sizeText(received)}</span> <span class="tx">↑ {sizeText(sent)}</span>
      <span class="muted">
        {" "}in this time<span class="wide-only">, a step is {duration(history.step_seconds)}. Drag or turn the wheel to zoom, hold Shift to pan.</span>
      </span>
    </p>
  );
}

function sum({ points }: History, direction: "sent" | "received"): number {
  return points.reduce((sum, point) => sum + point[direction], 0);
}

/** The same in words, the latest first; what moved nothing is left out. */
function PointTable({ history }: { history: History | null }) {
  const unit = useRateUnit();
  const points = (history?.points ?? []).filter((point) => point.sent + point.received > 0).reverse();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table of what moved">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">For</th>
            <th scope="col" class="right">Received</th>
            <th scope="col" class="right">Mean</th>
            <th scope="col" class="right">Sent</th>
            <th scope="col" class="right">Mean</th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => {
            const { received, sent } = pointText(point, unit);
            return (
              <tr key={point.at}>
                <td class="num">{dateTime(point.at)}</td>
                <td class="num">{duration(point.seconds)}</td>
                <td class="num right">{sizeText(point.received)}</td>
                <td class="num right rx">{received}</td>
                <td class="num right">{sizeText(point.sent)}</td>
                <td class="num right tx">{sent}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {points.length === 0 && <p class="empty">Nothing moved in this time.</p>}
    </div>
  );
}

function Hours({ id }: { id: string }) {
  const { value, error } = useAnswer(
    id,
    (signal) => api.history({ device: id, from: `-${WEEKS * 7}d`, step: "1h" }, signal),
    { every: 600 },
  );
  const week = useMemo(() => value && byHourOfWeek(value.points, value.scope === "all"), [value]);
  return (
    <section class="card" aria-labelledby="hours-title">
      <div class="card-head">
        <h2 id="hours-title">Active hours</h2>
        <span class="muted small">mean of the last {WEEKS} weeks, by the router's clock</span>
      </div>
      <Wrong text={error} />
      {week && <HeatMap week={week} />}
    </section>
  );
}

function Alerts({ id }: { id: string }) {
  const changes = useStore(alertChanges, (count) => count);
  const { value, error } = useAnswer(`${id} ${changes}`, (signal) => api.alerts({ device: id, limit: 20 }, signal));
  return (
    <section class="card" aria-labelledby="its-alerts">
      <div class="card-head">
        <h2 id="its-alerts">Alerts</h2>
        {value && value.total > 20 && <a href="#/alerts">all {value.total}</a>}
      </div>
      <Wrong text={error} />
      {value && value.alerts.length === 0 && <p class="empty">None, and none remembered.</p>}
      <ul class="alerts plain">{value?.alerts.map((alert) => <AlertItem key={alert.id} alert={alert} withDevice={false} />)}</ul>
    </section>
  );
}

function Facts({ device }: { device: Device }) {
  const countsEverything = useStore(home, (home) => home.status?.counts_every_address ?? false);
  const [isMuting, setMuting] = useState(false);
  const canChange = useCanChange();
  const { thresholds, cycle, today } = device;
  const ofThreshold = partOfThreshold(device, countsEverything);
  const ofQuota = partOfQuota(device, countsEverything);
  return (
    <section class="card" aria-labelledby="facts-title">
      <div class="card-head">
        <h2 id="facts-title">Today</h2>
        <button type="button" class="button quiet" disabled={!canChange} onClick={() => setMuting(true)}>
          <Icon name="mute" /> Mute…
        </button>
      </div>
      <dl class="facts">
        <dt>Received</dt>
        <dd><Size of={today.received} /></dd>
        <dt>Sent</dt>
        <dd><Size of={today.sent} /></dd>
        <dt>Active</dt>
        <dd>
          {duration(today.active_seconds)}
          {thresholds.max_active_time !== null && <span class="muted"> of {duration(thresholds.max_active_time)}</span>}
        </dd>
        {ofThreshold !== undefined && thresholds.bandwidth_threshold !== null && (
          <>
            <dt>Threshold</dt>
            <dd>
              <Meter part={ofThreshold} used={sizeText(usedToday(device, countsEverything))} of={plainSize(thresholds.bandwidth_threshold)} label="used" />
              <span class="second num">{sizeText(usedToday(device, countsEverything))} of {plainSize(thresholds.bandwidth_threshold)}</span>
            </dd>
          </>
        )}
        {ofQuota !== undefined && cycle?.quota != null && (
          <>
            <dt>Quota</dt>
            <dd>
              <Meter part={ofQuota} used={sizeText(usedOfQuota(device, countsEverything))} of={plainSize(cycle.quota)} label="used" />
              <span class="second num">
                {sizeText(usedOfQuota(device, countsEverything))} of {plainSize(cycle.quota)} until {dayText(cycle.until)}
              </span>
            </dd>
          </>
        )}
      </dl>
      <h3>Who it is</h3>
      <dl class="facts">
        {device.mac !== null && (
          <>
            <dt>MAC</dt>
            <dd class="mono">
              {device.mac}
              {device.private_mac && <span class="tag" title="The device made it up, as phones do for privacy">private</span>}
            </dd>
          </>
        )}
        {device.vendor !== null && (
          <>
            <dt>Vendor</dt>
            <dd><Name text={device.vendor} /></dd>
          </>
        )}
        <dt>Addresses</dt>
        <dd class="mono">
          {device.addresses.length === 0 ? <span class="muted">none now</span> : device.addresses.map((address) => <span key={address} class="line">{address}</span>)}
        </dd>
        <dt>Name by</dt>
        <dd>{device.name_source}</dd>
        {device.group !== null && (
          <>
            <dt>Group</dt>
            <dd><a href={`#/devices/${encodeURIComponent(`group:${device.group}`)}`}><Name text={device.group} /></a></dd>
          </>
        )}
        <dt>First seen</dt>
        <dd>{device.first_seen === null ? <span class="muted">never</span> : dateTime(device.first_seen)}</dd>
        <dt>Last seen</dt>
        <dd>{device.last_seen === null ? <span class="muted">never</span> : <><Ago at={device.last_seen} /> <span class="muted">{shortTime(device.last_seen)}</span></>}</dd>
      </dl>
      {isMuting && <MuteDialog device={device.id} name={device.name} rule={null} onClose={() => setMuting(false)} />}
    </section>
  );
}
