/** Asks the API. All paths are relative to the page, so that it works below a path of a proxy. */

import { authorized } from "./token.ts";
import { createStore } from "../store.ts";
import type { Alert, Device, History, Mute, Problem, Registration, Report, Rule, FullStatus } from "../core/types.ts";

/** Whether the server wants a token, or another one. */
export const locked = createStore(false);

/** What the server says is wrong, in its own words. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** What to tell about any error. */
export function reason(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof TypeError) return "bwmon can't be reached; it is tried again";
  return error instanceof Error ? error.message : String(error);
}

type Parameters = Record<string, string | number | boolean | null | undefined>;

interface Ask {
  method?: string;
  body?: unknown;
  accept?: string;
  signal?: AbortSignal | undefined;
}

/** The path of the API with these parameters. */
export function url(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) query.set(name, String(value));
  }
  const text = query.toString();
  return `api/v1/${path}${text ? `?${text}` : ""}`;
}

/**
 * A request, and its answer when it is a good one.
 *
 * @throws ApiError with the detail that the server tells.
 */
export async function ask(path: string, { method = "GET", body, accept = "application/json", signal }: Ask = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(path, {
    method,
    headers: authorized(headers),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  if (response.ok) return response;
  if (response.status === 401) locked.set(true);
  throw new ApiError(response.status, await detail(response));
}

async function json<T>(path: string, ask_: Ask = {}): Promise<T> {
  return (await (await ask(path, ask_)).json()) as T;
}

const device = (id: string) => `devices/${encodeURIComponent(id)}`;
const alert = (id: string) => `alerts/${encodeURIComponent(id)}`;

export interface MuteWanted {
  device?: string;
  rule?: Rule;
  seconds?: number;
  reason?: string;
}

export const api = {
  status: (signal?: AbortSignal) => json<FullStatus>(url("status"), { signal }),
  device: (id: string, signal?: AbortSignal) => json<Device>(url(device(id)), { signal }),
  history: (parameters: { device?: string; from?: string; to?: string; step?: string }, signal?: AbortSignal) =>
    json<History>(url("history", parameters), { signal }),
  report: (parameters: Parameters, signal?: AbortSignal) => json<Report>(url("report", parameters), { signal }),
  reportCsv: async (parameters: Parameters) => (await ask(url("report", parameters), { accept: "text/csv" })).blob(),
  async alerts(parameters: Parameters, signal?: AbortSignal): Promise<{ alerts: Alert[]; total: number; more: boolean }> {
    const response = await ask(url("alerts", parameters), { signal });
    const alerts = (await response.json()) as Alert[];
    const total = Number(response.headers.get("X-Total-Count") ?? alerts.length);
    return { alerts, total, more: response.headers.has("Link") };
  },
  acknowledge: (id: string, by: string) =>
    json<Alert>(url(`${alert(id)}/ack`), { method: "POST", body: by === "" ? {} : { by } }),
  takeBack: (id: string) => json<Alert>(url(`${alert(id)}/ack`), { method: "DELETE" }),
  mute: (wanted: MuteWanted) => json<Mute>(url("mutes"), { method: "POST", body: wanted }),
  unmute: (id: string) => ask(url(`mutes/${encodeURIComponent(id)}`), { method: "DELETE" }),
  async registration(id: string, signal?: AbortSignal): Promise<Registration | null> {
    try {
      return await json<Registration>(url(`${device(id)}/registration`), { signal });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  },
  async change(id: string, entry: Record<string, unknown>): Promise<Device | null> {
    const response = await ask(url(device(id)), { method: "PATCH", body: entry });
    return response.status === 204 ? null : ((await response.json()) as Device);
  },
  forget: (id: string) => ask(url(`${device(id)}/registration`), { method: "DELETE" }),
};

async function detail(response: Response): Promise<string> {
  const fallback = `bwmon answered with status ${response.status}`;
  if (!response.headers.get("Content-Type")?.includes("json")) return fallback;
  try {
    const problem = (await response.json()) as Partial<Problem>;
    return problem.detail ?? problem.title ?? fallback;
  } catch {
    return fallback;
  }
}
