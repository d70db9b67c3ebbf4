/** What is known of the network now, and how an event of the stream changes it. */

import { inScope } from "./scope.ts";
import type { Alert, Channel, Device, Interface, Mute, Snapshot, Status, Time } from "./types.ts";

export interface Home {
  at: Time | null;
  status: Status | null;
  interfaces: readonly Interface[];
  channels: readonly Channel[];
  /** By id. */
  devices: ReadonlyMap<string, Device>;
  /** Open ones: the worst first, then the newest. */
  alerts: readonly Alert[];
  mutes: readonly Mute[];
}

export const NOTHING: Home = {
  at: null,
  status: null,
  interfaces: [],
  channels: [],
  devices: new Map(),
  alerts: [],
  mutes: [],
};

/** After a `snapshot`. Devices that did not change stay the same objects. */
export function withSnapshot(home: Home, snapshot: Snapshot): Home {
  return {
    at: snapshot.at,
    status: snapshot.status,
    interfaces: snapshot.interfaces,
    channels: snapshot.channels,
    devices: withDevices(home.devices, snapshot),
    alerts: snapshot.alerts ? inOrder(snapshot.alerts) : home.alerts,
    mutes: snapshot.mutes ?? home.mutes,
  };
}

/** After an `alert` that changed. */
export function withAlert(home: Home, alert: Alert): Home {
  const others = home.alerts.filter((other) => other.id !== alert.id);
  return { ...home, alerts: alert.state === "resolved" ? others : inOrder([...others, alert]) };
}

/** After a device was changed by us: shown at once, the stream confirms it. */
export function withDevice(home: Home, device: Device): Home {
  return { ...home, devices: new Map(home.devices).set(device.id, device) };
}

/** Alerts that fire. */
export function firing(alerts: readonly Alert[]): Alert[] {
  return alerts.filter((alert) => alert.state === "firing");
}

/**
 * What all devices do together: on a router without what they copy to each other, which would count twice
 * and is not on the line.
 */
export function totals(devices: Iterable<Device>, countsEverything: boolean): {
  sentRate: number;
  receivedRate: number;
  sent: number;
  received: number;
  active: number;
} {
  const sum = { sentRate: 0, receivedRate: 0, sent: 0, received: 0, active: 0 };
  const left = countsEverything ? 0 : 1;
  for (const device of devices) {
    const { today } = device;
    sum.sentRate += device.sent_rate - left * device.sent_local_rate;
    sum.receivedRate += device.received_rate - left * device.received_local_rate;
    sum.sent += today.sent - left * today.sent_local;
    sum.received += today.received - left * today.received_local;
    if (device.sent_rate + device.received_rate > 0) sum.active += 1;
  }
  return sum;
}

/** Bytes that count for a quota, of those of a cycle. */
export function usedOfQuota(device: Device, countsEverything: boolean): number {
  const { cycle } = device;
  if (!cycle) return 0;
  const scope = cycle.scope ?? (countsEverything ? "all" : "internet");
  const { sent, received } = inScope(cycle, scope);
  return cycle.direction === "sent" ? sent : cycle.direction === "received" ? received : sent + received;
}

function withDevices(devices: ReadonlyMap<string, Device>, { full, devices: changed, gone }: Snapshot) {
  if (full) return new Map(changed.map((device) => [device.id, device]));
  if (changed.length === 0 && gone.length === 0) return devices;
  const next = new Map(devices);
  for (const id of gone) next.delete(id);
  for (const device of changed) next.set(device.id, device);
  return next;
}

const WORST_FIRST = { critical: 0, warning: 1, info: 2 };

function inOrder(alerts: readonly Alert[]): Alert[] {
  return [...alerts].sort(
    (a, b) =>
      Number(a.acknowledged_at !== null) - Number(b.acknowledged_at !== null) ||
      WORST_FIRST[a.severity] - WORST_FIRST[b.severity] ||
      Date.parse(b.started_at) - Date.parse(a.started_at),
  );
}
