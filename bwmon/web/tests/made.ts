/** Things to try the pure parts with. */

import type { Alert, Device, Point, Snapshot, Status } from "../src/core/types.ts";

const NOTHING = { sent: 0, received: 0, sent_local: 0, received_local: 0 };

export function device(id: string, of: Partial<Device> = {}): Device {
  return {
    id,
    name: id,
    name_source: "address",
    mac: null,
    private_mac: false,
    vendor: null,
    addresses: [id],
    registered: false,
    muted: false,
    group: null,
    sent_rate: 0,
    received_rate: 0,
    sent_local_rate: 0,
    received_local_rate: 0,
    since_start: NOTHING,
    today: { ...NOTHING, active_seconds: 0 },
    cycle: null,
    thresholds: { bandwidth_threshold: null, max_active_time: null, rate_threshold: null, quota: null, silent_after: null, surge: false },
    alerts: [],
    first_seen: null,
    last_seen: null,
    ...of,
  };
}

export function alert(id: string, of: Partial<Alert> = {}): Alert {
  return {
    id,
    state: "firing",
    rule: "rate",
    device: { id: "d", name: "d", kind: "device", group: null, mac: null, addresses: [] },
    severity: "warning",
    direction: "total",
    expected: null,
    observed: 2,
    threshold: 1,
    unit: "bytes_per_second",
    peak_rate: 2,
    description: "d is fast",
    acknowledged_at: null,
    acknowledged_by: null,
    muted: false,
    started_at: "2026-03-08T12:00:00+00:00",
    ended_at: null,
    ...of,
  };
}

export function snapshot(of: Partial<Snapshot> = {}): Snapshot {
  const status = { counts_every_address: false } as Status;
  return { at: "2026-03-08T12:00:00+00:00", full: false, status, interfaces: [], channels: [], devices: [], gone: [], alerts: null, mutes: null, ...of };
}

export function moved(sent: number, received: number) {
  return { ...NOTHING, sent, received };
}

export function point(at: string, seconds: number, sent: number, received: number): Point {
  return { at, seconds, ...moved(sent, received), peak_sent_rate: null, peak_received_rate: null };
}
