/** Which devices the table shows, and in which order. */

import { usedOfQuota } from "./home.ts";
import type { Device } from "./types.ts";

export const COLUMNS = ["name", "received", "sent", "today", "threshold", "quota", "alerts"] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  column: Column;
  descending: boolean;
}

export type Row =
  | { kind: "device"; device: Device }
  | { kind: "group"; name: string | null; count: number; sentRate: number; receivedRate: number; today: number };

/** Names begin with A, numbers with the largest. */
export function descendingAtFirst(column: Column): boolean {
  return column !== "name";
}

/** Part of the daily threshold that is used; undefined without one. */
export function partOfThreshold(device: Device, countsEverything: boolean): number | undefined {
  const threshold = device.thresholds.bandwidth_threshold;
  return threshold === null ? undefined : part(usedToday(device, countsEverything), threshold);
}

/** Bytes of today that people mean: internet traffic, or all on a machine that does not route. */
export function usedToday({ today }: Device, countsEverything: boolean): number {
  const all = today.sent + today.received;
  return countsEverything ? all : all - today.sent_local - today.received_local;
}

/** Part of the quota that is used; undefined without one. */
export function partOfQuota(device: Device, countsEverything: boolean): number | undefined {
  const quota = device.cycle?.quota;
  return quota === null || quota === undefined ? undefined : part(usedOfQuota(device, countsEverything), quota);
}

/** The devices that have all the words of `filter` somewhere in what one sees of them. */
export function matching(devices: Iterable<Device>, filter: string): Device[] {
  const words = filter.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const all = [...devices];
  if (words.length === 0) return all;
  return all.filter((device) => {
    const seen = [device.name, device.id, device.mac, device.vendor, device.group, ...device.addresses];
    const text = seen.filter(Boolean).join("\n").toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** In order; what is equal is by name, so that nothing jumps about. */
export function sorted(devices: readonly Device[], { column, descending }: Order, countsEverything: boolean): Device[] {
  const value = (device: Device): number => {
    switch (column) {
      case "received":
        return device.received_rate;
      case "sent":
        return device.sent_rate;
      case "today":
        return device.today.sent + device.today.received;
      case "threshold":
        return partOfThreshold(device, countsEverything) ?? -1;
      case "quota":
        return partOfQuota(device, countsEverything) ?? -1;
      case "alerts":
        return device.alerts.length;
      case "name":
        return 0;
    }
  };
  const keyed = devices.map((device) => ({ device, value: value(device) }));
  const sign = descending ? -1 : 1;
  keyed.sort((a, b) => sign * (a.value - b.value) || (column === "name" ? sign : 1) * byName(a.device, b.device));
  return keyed.map(({ device }) => device);
}

/** Each group in front of its devices, the busiest group first; those in none at the end. */
export function grouped(devices: readonly Device[], countsEverything: boolean): Row[] {
  const groups = new Map<string | null, Device[]>();
  for (const device of devices) {
    const group = groups.get(device.group);
    if (group) group.push(device);
    else groups.set(device.group, [device]);
  }
  const heads = [...groups].map(([name, members]) => {
    const head = { kind: "group" as const, name, count: members.length, sentRate: 0, receivedRate: 0, today: 0 };
    for (const device of members) {
      head.sentRate += device.sent_rate;
      head.receivedRate += device.received_rate;
      head.today += usedToday(device, countsEverything);
    }
    return { head, members };
  });
  heads.sort(
    (a, b) =>
      Number(a.head.name === null) - Number(b.head.name === null) ||
      (a.head.name ?? "").localeCompare(b.head.name ?? ""),
  );
  return heads.flatMap(({ head, members }): Row[] => [head, ...members.map((device) => ({ kind: "device" as const, device }))]);
}

const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function byName(a: Device, b: Device): number {
  return names.compare(a.name, b.name) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function part(used: number, of: number): number {
  return of === 0 ? (used > 0 ? 1 : 0) : used / of;
}
