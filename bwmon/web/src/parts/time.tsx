/** Moments, in the time zone of the browser, and how long ago they are. */

import { useEffect, useState } from "preact/hooks";
import { ago, duration } from "../core/format.ts";
import { createStore, useStore } from "../store.ts";

/** Changes every ten seconds: often enough for what is told in minutes. */
const slowTick = createStore(Date.now());
setInterval(() => slowTick.set(Date.now()), 10_000);

/** `3 min ago`, with the exact time as title. */
export function Ago({ at }: { at: string }) {
  const now = useStore(slowTick, (now) => now);
  return (
    <time dateTime={at} title={dateTime(at)}>
      {ago((now - Date.parse(at)) / 1000)}
    </time>
  );
}

/** For how long something lasts. */
export function Lasting({ from, to }: { from: string; to: string | null }) {
  const now = useStore(slowTick, (now) => now);
  return <>{duration(((to === null ? now : Date.parse(to)) - Date.parse(from)) / 1000)}</>;
}

/** A time that counts on, each second. */
export function useSeconds(isOn: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isOn) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isOn]);
  return now;
}

/** `14:03`, with seconds if wanted; of seconds since 1970. */
export function clock(seconds: number, withSeconds = false): string {
  return new Date(seconds * 1000).toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    ...(withSeconds ? { second: "2-digit" } : {}),
    hourCycle: "h23",
  });
}

/** `8 Mar 2026, 14:03`. */
export function dateTime(at: string): string {
  return new Date(at).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** `8 Mar, 14:03`, or only the time if it is today. */
export function shortTime(at: string): string {
  const date = new Date(at);
  const time = clock(date.getTime() / 1000);
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}

/** `8 Mar` of `2026-03-08`, kept on one line. */
export function dayText(day: string): string {
  return new Date(`${day}T12:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }).replace(" ", "\u00a0");
}
