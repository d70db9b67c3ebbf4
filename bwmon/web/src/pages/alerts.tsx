/** Alerts: a timeline, the list with what can be done about each, and what is muted. */

import { useMemo, useState } from "preact/hooks";
import { api } from "../api/client.ts";
import { lanes, spanOf, ticks } from "../core/lanes.ts";
import { duration } from "../core/format.ts";
import { plural, shown, words } from "../core/text.ts";
import type { Alert, AlertState, Mute } from "../core/types.ts";
import { alertChanges, changedMutes, home } from "../live.ts";
import { AlertItem, MuteDialog } from "../parts/alert.tsx";
import { ActionButton, ReadOnly, useCanChange, Wrong } from "../parts/action.tsx";
import { useAnswer } from "../parts/ask.ts";
import { Icon } from "../parts/icons.tsx";
import { Name } from "../parts/name.tsx";
import { clock, dateTime, shortTime } from "../parts/time.tsx";
import { deviceLink } from "../router.ts";
import { useStore } from "../store.ts";

const PAGE = 50;
/** All that are remembered are fewer: the open ones and 200. */
const TIMELINE = 1000;
const LANES = 12;

const STATES: { state: AlertState | null; title: string }[] = [
  { state: null, title: "All" },
  { state: "firing", title: "Firing" },
  { state: "pending", title: "Pending" },
  { state: "resolved", title: "Resolved" },
];

export function AlertsPage() {
  const changes = useStore(alertChanges, (count) => count);
  const [state, setState] = useState<AlertState | null>(null);
  return (
    <>
      <header class="page-head">
        <h1>Alerts</h1>
      </header>
      <ReadOnly />
      <Timeline changes={changes} />
      <div class="columns">
        <section class="card column-main" aria-labelledby="list-title">
          <div class="card-head">
            <h2 id="list-title">Latest</h2>
            <div class="segments" role="group" aria-label="State">
              {STATES.map(({ state: each, title }) => (
                <button key={title} type="button" aria-pressed={state === each} onClick={() => setState(each)}>
                  {title}
                </button>
              ))}
            </div>
          </div>
          <List key={state ?? "all"} state={state} changes={changes} />
        </section>
        <div class="column-side">
          <Mutes />
        </div>
      </div>
    </>
  );
}

/** Whole pages: each begins after the last alert of the one before. */
function List({ state, changes }: { state: AlertState | null; changes: number }) {
  const [pages, setPages] = useState<string[]>([]);
  const after = pages.at(-1);
  const { value, error, isAsking } = useAnswer(`${changes} ${after ?? ""}`, (signal) =>
    api.alerts({ state, limit: PAGE, after }, signal),
  );
  return (
    <>
      <Wrong text={error} />
      {value && value.alerts.length === 0 && <p class="empty">{state === null ? "Nothing unusual has happened." : `None is ${state}.`}</p>}
      <ul class="alerts plain" aria-busy={isAsking}>
        {value?.alerts.map((alert) => <AlertItem key={alert.id} alert={alert} />)}
      </ul>
      {(pages.length > 0 || value?.more || error !== null) && (
        <nav class="pages" aria-label="Pages of alerts">
          <button type="button" class="button quiet" disabled={pages.length === 0} onClick={() => setPages(error === null ? pages.slice(0, -1) : [])}>
            <Icon name="left" /> {error === null ? "Newer" : "From the beginning"}
          </button>
          <span class="muted num">
            page {pages.length + 1} of {Math.max(pages.length + 1, Math.ceil((value?.total ?? 0) / PAGE))}
          </span>
          <button
            type="button"
            class="button quiet"
            disabled={!value?.more}
            onClick={() => {
              const last = value?.alerts.at(-1);
              if (last) setPages([...pages, last.id]);
            }}
          >
            Older <Icon name="right" />
          </button>
        </nav>
      )}
    </>
  );
}

function Timeline({ changes }: { changes: number }) {
  const { value } = useAnswer(String(changes), (signal) => api.alerts({ limit: TIMELINE }, signal), { every: 30 });
  const [chosen, setChosen] = useState<number | null>(null);
  const alerts = useMemo(() => (value?.alerts ?? []).filter((alert) => alert.state !== "pending"), [value]);
  if (alerts.length === 0) return null;
  const to = Date.now() / 1000;
  const span = chosen ?? spanOf(alerts, to);
  const from = to - span;
  const { lanes: shownLanes, more } = lanes(alerts, from, to, LANES);
  const spans: [string, number][] = [
    ["6 h", 6 * 3600],
    ["1 d", 86400],
    ["1 w", 7 * 86400],
    ["1 m", 30 * 86400],
  ];
  return (
    <section class="card" aria-labelledby="timeline-title">
      <div class="card-head">
        <h2 id="timeline-title">Timeline</h2>
        <div class="segments" role="group" aria-label="Range">
          <button type="button" aria-pressed={chosen === null} onClick={() => setChosen(null)}>
            Fit
          </button>
          {spans.map(([name, seconds]) => (
            <button key={name} type="button" aria-pressed={chosen === seconds} onClick={() => setChosen(seconds)}>
              {name}
            </button>
          ))}
        </div>
      </div>
      <div class="timeline" role="group" aria-label="Alerts over time; the list below has them in words">
        {shownLanes.map((lane) => (
          <div class="lane" key={lane.id}>
            <a class="lane-name" href={deviceLink(lane.id)}>
              <Name text={lane.name} />
            </a>
            <div class="lane-bars">
              {lane.bars.map(({ alert, left, width }) => (
                <i
                  key={alert.id}
                  class={`lane-bar lane-${alert.acknowledged_at !== null && alert.state === "firing" ? "seen" : alert.severity} ${alert.state}`}
                  style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
                  title={barTitle(alert)}
                />
              ))}
            </div>
          </div>
        ))}
        <div class="lane lane-axis" aria-hidden="true">
          <span class="lane-name" />
          <div class="lane-bars">
            {ticks(from, to, 6).map((tick) => (
              <span key={tick} class="lane-tick" style={{ left: `${((tick - from) / span) * 100}%` }}>
                {span > 2 * 86400 ? new Date(tick * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" }) : clock(tick)}
              </span>
            ))}
          </div>
        </div>
      </div>
      {shownLanes.length === 0 && <p class="empty">None in this time.</p>}
      {more > 0 && <p class="muted small">and {plural(more, "device")} more</p>}
    </section>
  );
}

function barTitle(alert: Alert): string {
  const end = alert.ended_at === null ? Date.now() : Date.parse(alert.ended_at);
  const lasted = duration((end - Date.parse(alert.started_at)) / 1000);
  return `${words(alert.rule)}, ${dateTime(alert.started_at)}, ${lasted}: ${shown(alert.description)}`;
}

function Mutes() {
  const mutes = useStore(home, (home) => home.mutes);
  const devices = useStore(home, (home) => home.devices);
  const [isMuting, setMuting] = useState(false);
  const canChange = useCanChange();
  return (
    <section class="card" aria-labelledby="mutes-title">
      <div class="card-head">
        <h2 id="mutes-title">Muted</h2>
        <button type="button" class="button quiet" disabled={!canChange} onClick={() => setMuting(true)}>
          <Icon name="mute" /> Mute…
        </button>
      </div>
      {mutes.length === 0 && <p class="empty">Nothing is muted.</p>}
      <ul class="mutes">
        {mutes.map((mute) => (
          <MuteItem key={mute.id} mute={mute} name={mute.device === null ? null : (devices.get(mute.device)?.name ?? mute.device)} />
        ))}
      </ul>
      {isMuting && <MuteDialog device={null} name="" rule={null} onClose={() => setMuting(false)} />}
    </section>
  );
}

function MuteItem({ mute, name }: { mute: Mute; name: string | null }) {
  return (
    <li data-mute={mute.id}>
      <div>
        <p>
          {name === null ? <strong>all devices</strong> : <strong><Name text={name} /></strong>}
          <span class="tag">{mute.rule === null ? "all rules" : words(mute.rule)}</span>
        </p>
        <p class="muted small">
          {mute.until === null ? "until it is taken back" : `until ${shortTime(mute.until)}`}
          {mute.reason !== null && <> · <bdi>{shown(mute.reason)}</bdi></>}
        </p>
      </div>
      <ActionButton
        kind="quiet"
        label={`Unmute ${name === null ? "all devices" : shown(name)}`}
        work={async () => {
          await api.unmute(mute.id);
          changedMutes((mutes) => mutes.filter((other) => other.id !== mute.id));
        }}
      >
        Unmute
      </ActionButton>
    </li>
  );
}
