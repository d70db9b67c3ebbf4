/** Who moved how much in a month or a billing cycle, and what the cycle will end with. */

import { useState } from "preact/hooks";
import { api } from "../api/client.ts";
import { percent, plainSize, rateText, sizeText } from "../core/format.ts";
import { dayBefore, dayOf, isOver, nextMonth, periodTitle } from "../core/period.ts";
import { inScope } from "../core/scope.ts";
import type { Report, ReportRow } from "../core/types.ts";
import { useAction, Wrong } from "../parts/action.tsx";
import { useAnswer } from "../parts/ask.ts";
import { Icon } from "../parts/icons.tsx";
import { Name } from "../parts/name.tsx";
import { Meter, useRateUnit } from "../parts/numbers.tsx";
import { dayText } from "../parts/time.tsx";
import { deviceLink } from "../router.ts";

type Period = "month" | "cycle";
type By = "device" | "group" | "interface";

/** Rows of the table; the others are one. */
const TOP = 200;

export function ReportPage() {
  const [period, setPeriod] = useState<Period>("month");
  const [by, setBy] = useState<By>("device");
  /** A day within the period; null: the one that lasts. */
  const [day, setDay] = useState<string | null>(null);
  const asked = { period, from: day };
  const { value, error, isAsking } = useAnswer(
    `${period} ${by} ${day}`,
    async (signal) => {
      const report = await api.report({ ...asked, by, top: TOP }, signal);
      const days = await api.report({ ...asked, by: "day" }, signal);
      return { report, days, period, by };
    },
    { every: 60 },
  );
  const report = value?.report;
  const isLatest = day === null || (report !== undefined && !isOver(report.to));
  const next = report && (period === "month" ? nextMonth(report.from) : dayOf(report.to));
  return (
    <>
      <header class="page-head">
        <h1>Report</h1>
        <div class="tools">
          <div class="segments" role="group" aria-label="Period">
            {(["month", "cycle"] as const).map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={period === each}
                onClick={() => {
                  setPeriod(each);
                  setDay(null);
                }}
              >
                {each === "month" ? "Month" : "Billing cycle"}
              </button>
            ))}
          </div>
          <div class="segments" role="group" aria-label="Which">
            <button type="button" aria-label="Previous" disabled={!report} onClick={() => report && setDay(dayBefore(report.from))}>
              <Icon name="left" />
            </button>
            <button
              type="button"
              aria-label="Next"
              disabled={!report || isLatest}
              onClick={() => next && setDay(next)}
            >
              <Icon name="right" />
            </button>
          </div>
          <Csv parameters={{ ...asked, by }} name={`bwmon-${period}-${report ? dayOf(report.from) : ""}-${by}.csv`} />
        </div>
      </header>
      <Wrong text={error} />
      {!value && isAsking && <p class="muted">Reading history…</p>}
      {value && (
        <>
          <Summary report={value.report} days={value.days} period={value.period} />
          <section class="card" aria-labelledby="rows-title">
            <div class="card-head">
              <h2 id="rows-title">Who moved how much</h2>
              <div class="segments" role="group" aria-label="By">
                {(["device", "group", "interface"] as const).map((each) => (
                  <button key={each} type="button" aria-pressed={by === each} onClick={() => setBy(each)}>
                    {each === "device" ? "Devices" : each === "group" ? "Groups" : "Interfaces"}
                  </button>
                ))}
              </div>
            </div>
            <Rows report={value.report} by={value.by} />
          </section>
        </>
      )}
    </>
  );
}

function Summary({ report, days, period }: { report: Report; days: Report; period: Period }) {
  const sum = inScope(report.sum, report.scope);
  const forecast = sum.cycle?.forecast;
  return (
    <section class="card summary" aria-labelledby="summary-title">
      <h2 id="summary-title">{periodTitle(report.from, report.to, period)}</h2>
      <dl class="totals">
        <div>
          <dt>Total{report.scope === "all" ? "" : `, ${report.scope}`}</dt>
          <dd><Big bytes={sum.total} /></dd>
        </div>
        <div class="rx">
          <dt><Icon name="down" /> Received</dt>
          <dd><Big bytes={sum.received} /></dd>
        </div>
        <div class="tx">
          <dt><Icon name="up" /> Sent</dt>
          <dd><Big bytes={sum.sent} /></dd>
        </div>
        {forecast && sum.cycle && (
          <div>
            <dt>Forecast until {dayText(sum.cycle.until)}</dt>
            <dd>
              <Big bytes={forecast.bytes} />
              {forecast.low !== null && forecast.high !== null && (
                <span class="second num" title={`In four of five cases; from ${forecast.days} whole days`}>
                  {sizeText(forecast.low)} to {sizeText(forecast.high)}
                </span>
              )}
            </dd>
          </div>
        )}
      </dl>
      <DayBars days={days} />
    </section>
  );
}

function Big({ bytes }: { bytes: number }) {
  const [value, unit] = sizeText(bytes).split("\u00a0");
  return (
    <span class="big num">
      {value}
      <span class="unit">{unit}</span>
    </span>
  );
}

/** A column for each day: received on top of sent. */
function DayBars({ days }: { days: Report }) {
  const rows = days.rows.map((row) => inScope(row, days.scope));
  const highest = Math.max(1, ...rows.map((row) => row.sent + row.received));
  const height = (bytes: number) => ({ height: `${(bytes / highest) * 100}%` });
  return (
    <figure class="days">
      <ol>
        {rows.map((row) => {
          const date = new Date(`${row.id.slice(0, 10)}T12:00:00Z`);
          const words = `${date.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" })}: received ${sizeText(row.received)}, sent ${sizeText(row.sent)}`;
          return (
            <li key={row.id} title={words}>
              <span class="sr">{words}</span>
              <span class="day-bar" aria-hidden="true">
                <i class="day-rx" style={height(row.received)} />
                <i class="day-tx" style={height(row.sent)} />
              </span>
              <span class="day-number num" aria-hidden="true">{date.getUTCDate()}</span>
            </li>
          );
        })}
      </ol>
      <figcaption class="muted small">
        <i class="swatch rx-fill" aria-hidden="true" /> received <i class="swatch tx-fill" aria-hidden="true" /> sent, by day; the highest column is{" "}
        {sizeText(highest)}
      </figcaption>
    </figure>
  );
}

function Rows({ report, by }: { report: Report; by: By }) {
  const unit = useRateUnit();
  const hasCycle = report.rows.some((row) => row.cycle);
  const hasQuota = report.rows.some((row) => row.cycle?.quota);
  const peak = (value: number | null) => (value === null ? "–" : rateText(value, unit));
  const all = [...report.rows, ...(report.rest ? [report.rest] : [])].map((row) => inScope(row, report.scope));
  const sum = inScope(report.sum, report.scope);
  const name = (row: ReportRow) => {
    if (row.id === "rest") return <span class="muted">{row.name}</span>;
    if (row.id === "group:") return <span class="muted">in no group</span>;
    return (
      <a href={deviceLink(row.id)}>
        <Name text={row.name} />
      </a>
    );
  };
  const one = { device: "Device", group: "Group", interface: "Interface" }[by];
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table of who moved how much">
      <table class="plain report">
        <thead>
          <tr>
            <th scope="col">{one}</th>
            <th scope="col" class="right">Received</th>
            <th scope="col" class="right">Sent</th>
            <th scope="col" class="right">Total</th>
            <th scope="col">Share</th>
            <th scope="col" class="right">Peak ↓</th>
            <th scope="col" class="right">Peak ↑</th>
            {hasQuota && <th scope="col">Quota</th>}
            {hasCycle && <th scope="col" class="right">Forecast</th>}
          </tr>
        </thead>
        <tbody>
          {all.map((row) => (
            <tr key={row.id}>
              <th scope="row">{name(row)}</th>
              <td class="num right">{sizeText(row.received)}</td>
              <td class="num right">{sizeText(row.sent)}</td>
              <td class="num right strong">{sizeText(row.total)}</td>
              <td>
                <span class="share">
                  <span class="bar" aria-hidden="true"><i style={{ width: `${row.share * 100}%` }} /></span>
                  <span class="num">{percent(row.share)}</span>
                </span>
              </td>
              <td class="num right">{peak(row.peak_received_rate)}</td>
              <td class="num right">{peak(row.peak_sent_rate)}</td>
              {hasQuota && (
                <td>
                  {row.cycle?.quota ? (
                    <Meter part={row.cycle.used / row.cycle.quota} used={sizeText(row.cycle.used)} of={plainSize(row.cycle.quota)} label="of the quota" />
                  ) : (
                    <span class="zero">–</span>
                  )}
                </td>
              )}
              {hasCycle && (
                <td class="num right" title={range(row)}>
                  {row.cycle?.forecast ? sizeText(row.cycle.forecast.bytes) : "–"}
                </td>
              )}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">all together</th>
            <td class="num right">{sizeText(sum.received)}</td>
            <td class="num right">{sizeText(sum.sent)}</td>
            <td class="num right strong">{sizeText(sum.total)}</td>
            <td />
            <td />
            <td />
            {hasQuota && <td />}
            {hasCycle && <td class="num right">{report.sum.cycle?.forecast ? sizeText(report.sum.cycle.forecast.bytes) : "–"}</td>}
          </tr>
        </tfoot>
      </table>
      {report.rows.length === 0 && <p class="empty">Nothing moved in this time.</p>}
    </div>
  );
}

function range({ cycle }: ReportRow): string {
  const { low, high } = cycle?.forecast ?? {};
  return low == null || high == null ? "" : `${sizeText(low)} to ${sizeText(high)} in four of five cases`;
}

/** The same as CSV: fetched with the token, then saved. */
function Csv({ parameters, name }: { parameters: Record<string, string | null>; name: string }) {
  const { run, isBusy, error } = useAction();
  const save = async () => {
    const address = URL.createObjectURL(await api.reportCsv(parameters));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };
  return (
    <>
      <button type="button" class="button" disabled={isBusy} onClick={() => void run(save)}>
        <Icon name="download" /> CSV
      </button>
      <Wrong text={error} />
    </>
  );
}
