/** What the API answers, as docs/api.md has it: the fields that the dashboard reads. */

/** RFC 3339 with offset. */
export type Time = string;

export interface Status {
  sampled_at: Time | null;
  day: string;
  poll: {
    interval_seconds: number;
    samples: number;
    missed: number;
    last_seconds: number;
    max_seconds: number;
  };
  local_networks: string[];
  counts_every_address: boolean;
  mutes: number;
  store: {
    state: "ok" | "waiting";
    since: Time | null;
    reason: string | null;
    waiting_records: number;
    written_at: Time | null;
    database_bytes: number;
  };
  warnings: string[];
}

/** What `GET api/v1/status` has beyond that. */
export interface FullStatus extends Status {
  version: string;
  host: string;
  uptime_seconds: number;
  started_at: Time;
  can_change?: boolean;
  configuration: Record<string, unknown>;
}

export interface Pair {
  sent: number;
  received: number;
}

export interface Interface {
  name: string;
  attached: boolean;
  ingress_mode: string | null;
  egress_mode: string | null;
  note: string | null;
  hint?: string | null;
  counted_bytes: Pair;
  counted_packets: Pair;
  interface_bytes: Pair;
  interface_packets: Pair;
  coverage: number;
  non_ip_bytes: number;
  outside_bytes: number;
  overflow_bytes: number;
}

export interface Channel {
  name: string;
  delivered: number;
  failed: number;
  given_up: number;
  shed: number;
  waiting: number;
}

export interface Moved extends Pair {
  sent_local: number;
  received_local: number;
}

export type Direction = "total" | "sent" | "received";
export type Scope = "internet" | "local" | "all";

export interface Cycle extends Moved {
  from: string;
  until: string;
  quota: number | null;
  direction: Direction;
  scope: Scope | null;
}

export interface Thresholds {
  bandwidth_threshold: number | null;
  max_active_time: number | null;
  rate_threshold: number | null;
  quota: number | null;
  silent_after: number | null;
  surge: boolean;
}

export interface Device {
  id: string;
  name: string;
  name_source: string;
  mac: string | null;
  private_mac: boolean;
  vendor: string | null;
  addresses: string[];
  registered: boolean;
  muted: boolean;
  group: string | null;
  sent_rate: number;
  received_rate: number;
  /** The part that stays in the local networks. */
  sent_local_rate: number;
  received_local_rate: number;
  since_start: Moved;
  today: Moved & { active_seconds: number };
  cycle: Cycle | null;
  thresholds: Thresholds;
  alerts: string[];
  first_seen: Time | null;
  last_seen: Time | null;
}

export const RULES = ["volume", "rate", "surge", "active_time", "quota", "new_device", "silent"] as const;
export type Rule = (typeof RULES)[number];
export type Unit = "bytes" | "bytes_per_second" | "seconds";
export type AlertState = "pending" | "firing" | "resolved";
export type Severity = "info" | "warning" | "critical";

export interface Alert {
  id: string;
  state: AlertState;
  rule: Rule;
  device: {
    id: string;
    name: string;
    kind: "device" | "group" | "interface";
    group: string | null;
    mac: string | null;
    addresses: string[];
  };
  severity: Severity;
  direction: Direction;
  expected: number | null;
  observed: number;
  threshold: number;
  unit: Unit;
  peak_rate: number;
  description: string;
  acknowledged_at: Time | null;
  acknowledged_by: string | null;
  muted: boolean;
  started_at: Time;
  ended_at: Time | null;
}

export interface Mute {
  id: string;
  device: string | null;
  rule: Rule | null;
  until: Time | null;
  reason: string | null;
  created_at: Time;
}

/** The event `snapshot` of `api/v1/stream`. */
export interface Snapshot {
  at: Time | null;
  /** `devices` has all of them, not only those that changed. */
  full: boolean;
  status: Status;
  interfaces: Interface[];
  channels: Channel[];
  devices: Device[];
  gone: string[];
  /** Open alerts; null: as before. */
  alerts: Alert[] | null;
  mutes: Mute[] | null;
}

export interface Point extends Moved {
  at: Time;
  seconds: number;
  peak_sent_rate: number | null;
  peak_received_rate: number | null;
}

export interface History {
  from: Time;
  to: Time;
  step_seconds: number;
  scope: Scope;
  device: string | null;
  name: string | null;
  points: Point[];
}

export interface Forecast {
  bytes: number;
  low: number | null;
  high: number | null;
  method: "linear" | "weekday";
  days: number;
}

export interface ReportRow extends Moved {
  id: string;
  name: string;
  group: string | null;
  peak_sent_rate: number | null;
  peak_received_rate: number | null;
  total: number;
  share: number;
  cycle: { from: string; until: string; used: number; quota: number | null; forecast: Forecast | null } | null;
}

export interface Report {
  from: Time;
  to: Time;
  by: string;
  scope: Scope;
  count: number;
  rows: ReportRow[];
  rest: ReportRow | null;
  sum: ReportRow;
}

/** `GET api/v1/devices/{id}/registration`. */
export interface Registration {
  key: string;
  file: string;
  entry: Record<string, unknown>;
}

/** `application/problem+json`. */
export interface Problem {
  title: string;
  status: number;
  detail?: string;
}
