/** Months and cycles: what comes before and after one, by the days that the router wrote. */

/** `2026-03-08` of `2026-03-08T00:00:00+01:00`. */
export function dayOf(at: string): string {
  return at.slice(0, 10);
}

/** The day before the one that a time is in: in the period before. */
export function dayBefore(at: string): string {
  return moved(dayOf(at), -1);
}

/** The first day of the month after the one that a time is in. */
export function nextMonth(at: string): string {
  const [year = 0, month = 1] = at.split("-").map(Number);
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
}

/** Whether a period that ends then is over: it ends at midnight, and one that lasts with the time that it is. */
export function isOver(to: string): boolean {
  return to.slice(11, 19) === "00:00:00";
}

/** `March 2026`, or `15 Mar to 14 Apr 2026`; `to` is no part of it any more. */
export function periodTitle(from: string, to: string, period: "month" | "cycle"): string {
  const date = (day: string) => new Date(`${day}T12:00:00Z`);
  const told = (day: string, options: Intl.DateTimeFormatOptions) =>
    date(day).toLocaleDateString("en-GB", { ...options, timeZone: "UTC" });
  const first = dayOf(from);
  if (period === "month") return told(first, { month: "long", year: "numeric" });
  const last = isOver(to) ? dayBefore(to) : dayOf(to);
  return `${told(first, { day: "numeric", month: "short" })} to ${told(last, { day: "numeric", month: "short", year: "numeric" })}`;
}

function moved(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
