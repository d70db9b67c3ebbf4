/** What the page knows, kept up to date by the live connection. */

import { api, locked } from "./api/client.ts";
import { Connection, type Link } from "./api/connection.ts";
import { forgetToken, keepToken } from "./api/token.ts";
import { NOTHING, withAlert, withDevice, withSnapshot, type Home } from "./core/home.ts";
import { ALL, Recent, SPAN } from "./core/recent.ts";
import type { ServerEvent } from "./core/sse.ts";
import type { Alert, Device, FullStatus, Mute, Point, Snapshot } from "./core/types.ts";
import { createStore } from "./store.ts";

/** Devices whose last minutes are asked for at the beginning. */
const FILLED = 10;

export const home = createStore<Home>(NOTHING);
export const link = createStore<Link>({ state: "connecting", heard: null, why: null });
export const status = createStore<FullStatus | null>(null);
export const recent = new Recent();
/** Counts the samples in `recent`. */
export const samples = createStore(0);
/** Counts the changes of alerts, closed ones too. */
export const alertChanges = createStore(0);

const connection = new Connection({ onEvent, onLink: (next) => link.set(next) });

export function start(): void {
  connection.start();
}

export function logIn(token: string, onThisDevice: boolean): void {
  keepToken(token, onThisDevice);
  locked.set(false);
  start();
}

export function logOut(): void {
  forgetToken();
  connection.stop();
  home.set(NOTHING);
  status.set(null);
  recent.clear();
  link.set({ state: "connecting", heard: null, why: null });
  locked.set(false);
  start();
}

/** Shown at once; the stream confirms it. */
export function changedAlert(alert: Alert): void {
  home.set(withAlert(home.get(), alert));
  alertChanges.set(alertChanges.get() + 1);
}

export function changedDevice(device: Device): void {
  home.set(withDevice(home.get(), device));
}

export function changedMutes(change: (mutes: readonly Mute[]) => Mute[]): void {
  home.set({ ...home.get(), mutes: change(home.get().mutes) });
}

function onEvent({ event, data }: ServerEvent): void {
  if (event === "alert") changedAlert(JSON.parse(data) as Alert);
  if (event === "snapshot") onSnapshot(JSON.parse(data) as Snapshot);
}

function onSnapshot(snapshot: Snapshot): void {
  connection.interval = snapshot.status.poll.interval_seconds;
  const at = snapshot.at === null ? Date.now() / 1000 : Date.parse(snapshot.at) / 1000;
  const last = recent.last;
  if (last === undefined || at < last || at - last > SPAN / 2) {
    recent.begin(at, connection.interval, snapshot.devices, snapshot.status.counts_every_address);
    if (snapshot.full) void fill(snapshot.devices);
  } else {
    recent.push(at, snapshot.devices);
  }
  const before = home.get();
  home.set(withSnapshot(before, snapshot));
  samples.set(samples.get() + 1);
  if (snapshot.alerts && before.alerts !== home.get().alerts) alertChanges.set(alertChanges.get() + 1);
  if (snapshot.full) void askStatus();
}

async function askStatus(): Promise<void> {
  try {
    status.set(await api.status());
  } catch {
    // It comes with the next connection.
  }
}

/** The last minutes before now, of those who moved most. */
async function fill(devices: readonly Device[]): Promise<void> {
  try {
    const histories = new Map<string, Point[]>();
    const parameters = { from: `-${SPAN}s`, step: "1s" };
    histories.set(ALL, (await api.history(parameters)).points);
    const report = await api.report({ from: `-${SPAN}s`, limit: FILLED });
    const known = new Set(devices.map((device) => device.id));
    const wanted = report.rows.map(({ id }) => id).filter((id) => known.has(id));
    // Two at a time: that is how many the server reads for at once.
    while (wanted.length > 0) {
      const asked = wanted.splice(0, 2).map(async (device) => histories.set(device, (await api.history({ ...parameters, device })).points));
      await Promise.all(asked);
    }
    recent.fill(histories);
    samples.set(samples.get() + 1);
  } catch {
    // The chart then begins with the page.
  }
}
