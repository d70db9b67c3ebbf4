/**
 * The live connection: `api/v1/stream`, read by fetch (an EventSource can't show a token).
 *
 * It is made anew by itself, later and later while that fails, and at once when the network or the page
 * comes back. Whoever looks is told when nothing came for three intervals.
 */

import { EventParser, type ServerEvent } from "../core/sse.ts";
import { ApiError, ask, reason } from "./client.ts";

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const FEWEST_SECONDS = 3;

export interface Link {
  state: "connecting" | "live" | "stale";
  /** When the last event came: milliseconds since 1970. */
  heard: number | null;
  /** Why it is not live. */
  why: string | null;
}

export interface Listener {
  onEvent(event: ServerEvent): void;
  onLink(link: Link): void;
}

/** How long to wait before try number `tries` (from 0), with `chance` of 0 to 1 for the jitter. */
export function pause(tries: number, chance: number): number {
  const most = Math.min(FIRST_PAUSE * 2 ** tries, LONGEST_PAUSE);
  return most / 2 + (most / 2) * chance;
}

export class Connection {
  #listener: Listener;
  #link: Link = { state: "connecting", heard: null, why: null };
  #aborter: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #tries = 0;
  #read = 0;
  /** Seconds between two events, as the daemon says. */
  interval = 1;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  start(): void {
    this.stop();
    this.#tries = 0;
    this.#watch = setInterval(() => this.#look(), 500);
    addEventListener("online", this.#atOnce);
    document.addEventListener("visibilitychange", this.#atOnce);
    void this.#connect();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#timer = undefined;
    this.#aborter?.abort();
    this.#aborter = null;
    removeEventListener("online", this.#atOnce);
    document.removeEventListener("visibilitychange", this.#atOnce);
  }

  #atOnce = () => {
    if (document.visibilityState === "hidden" || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#tries = 0;
    void this.#connect();
  };

  async #connect(): Promise<void> {
    this.#timer = undefined;
    const aborter = new AbortController();
    this.#aborter = aborter;
    this.#read = Date.now();
    let why: string;
    try {
      const response = await ask("api/v1/stream", { accept: "text/event-stream", signal: aborter.signal });
      await this.#listen(response);
      why = "the connection has ended";
    } catch (error) {
      // The log-in form starts it again.
      if (error instanceof ApiError && error.status === 401) return;
      why = reason(error);
    }
    // Stopped, or another one has taken over.
    if (this.#aborter !== aborter) return;
    this.#tell({ ...this.#link, why });
    this.#timer = setTimeout(() => void this.#connect(), pause(this.#tries, Math.random()));
    this.#tries = Math.min(this.#tries + 1, 16);
  }

  async #listen(response: Response): Promise<void> {
    const reader = response.body?.getReader();
    if (!reader) throw new Error("this browser can't read a stream");
    const [decoder, parser] = [new TextDecoder(), new EventParser()];
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        this.#read = Date.now();
        for (const event of parser.push(decoder.decode(value, { stream: true }))) this.#heard(event);
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  #heard(event: ServerEvent): void {
    if (event.event === "snapshot") {
      this.#tries = 0;
      this.#tell({ state: "live", heard: Date.now(), why: null });
    }
    this.#listener.onEvent(event);
  }

  #look(): void {
    const longest = Math.max(FEWEST_SECONDS, 3 * this.interval) * 1000;
    const { heard, state } = this.#link;
    if (state !== "stale" && Date.now() - (heard ?? this.#read) > longest) this.#tell({ ...this.#link, state: "stale" });
    // A connection that died without a word (the machine slept, a cable was pulled) is given up.
    if (this.#aborter && this.#timer === undefined && Date.now() - this.#read > Math.max(10_000, 3 * longest)) {
      this.#aborter.abort();
    }
  }

  #tell(link: Link): void {
    this.#link = link;
    this.#listener.onLink(link);
  }
}
