/** Whether bwmon counts everything, keeps it, and tells it: and what to do where it does not. */

import type { ComponentChildren } from "preact";
import { count, coverage, duration, sizeText } from "../core/format.ts";
import { shown } from "../core/text.ts";
import type { Interface } from "../core/types.ts";
import { home, status } from "../live.ts";
import { ReadOnly } from "../parts/action.tsx";
import { Icon } from "../parts/icons.tsx";
import { Ago, dateTime } from "../parts/time.tsx";
import { deviceLink } from "../router.ts";
import { useStore } from "../store.ts";

/** Below this there is a hint. */
const COMPLETE = 0.999;

export function HealthPage() {
  const now = useStore(home, (home) => home);
  const full = useStore(status, (status) => status);
  const { status: live, interfaces, channels } = now;
  return (
    <>
      <header class="page-head">
        <h1>Health</h1>
        {full && (
          <p class="muted">
            <bdi>{shown(full.host)}</bdi>, bwmon {full.version}, since {dateTime(full.started_at)}
          </p>
        )}
      </header>
      <ReadOnly />
      {live && <Warnings warnings={live.warnings} />}
      <section aria-labelledby="interfaces-title">
        <h2 id="interfaces-title" class="section-title">Interfaces</h2>
        <div class="grid">
          {interfaces.map((each) => (
            <InterfaceCard key={each.name} of={each} />
          ))}
        </div>
        {interfaces.length === 0 && <p class="empty">None is watched.</p>}
      </section>
      <div class="grid">
        {live && (
          <section class="card" aria-labelledby="poll-title">
            <h2 id="poll-title">Samples</h2>
            <Facts
              rows={[
                ["Interval", `${live.poll.interval_seconds} s`],
                ["Taken", count(live.poll.samples)],
                ["Left out", <Bad if={live.poll.missed > 0}>{count(live.poll.missed)}</Bad>],
                ["The last took", milliseconds(live.poll.last_seconds)],
                ["The longest took", milliseconds(live.poll.max_seconds)],
                ["Local networks", live.local_networks.map((network) => <span key={network} class="line mono">{network}</span>)],
                ["Counts", live.counts_every_address ? "every address, as this machine does not route" : "addresses of the local networks"],
              ]}
            />
          </section>
        )}
        {live && (
          <section class="card" aria-labelledby="store-title">
            <h2 id="store-title">History</h2>
            <Facts
              rows={[
                ["State", <Bad if={live.store.state !== "ok"}>{live.store.state === "ok" ? "is written each minute" : "can't be written, waits in memory"}</Bad>],
                ["Written", live.store.written_at === null ? "not yet" : <Ago at={live.store.written_at} />],
                ["Waiting", `${count(live.store.waiting_records)} records`],
                ["Size", sizeText(live.store.database_bytes)],
                ...(live.store.since === null ? [] : [["Since", dateTime(live.store.since)] as Row]),
                ...(live.store.reason === null ? [] : [["Why", shown(live.store.reason)] as Row]),
              ]}
            />
          </section>
        )}
        <section class="card" aria-labelledby="channels-title">
          <h2 id="channels-title">Channels</h2>
          {channels.length === 0 ? (
            <p class="empty">
              Nobody is told. A <code>[[notify]]</code> in bwmon.toml tells somebody.
            </p>
          ) : (
            <div class="scroll" tabIndex={0} role="region" aria-label="Table of channels">
              <table class="plain">
                <thead>
                  <tr>
                    <th scope="col">Channel</th>
                    <th scope="col" class="right">Delivered</th>
                    <th scope="col" class="right">Waiting</th>
                    <th scope="col" class="right">Failed tries</th>
                    <th scope="col" class="right">Given up</th>
                  </tr>
                </thead>
                <tbody>
                  {channels.map((channel) => (
                    <tr key={channel.name}>
                      <th scope="row"><bdi>{shown(channel.name)}</bdi></th>
                      <td class="num right">{count(channel.delivered)}</td>
                      <td class="num right"><Bad if={channel.waiting > 0}>{count(channel.waiting)}</Bad></td>
                      <td class="num right">{count(channel.failed)}</td>
                      <td class="num right"><Bad if={channel.given_up + channel.shed > 0}>{count(channel.given_up + channel.shed)}</Bad></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </section>
        {full && (
          <section class="card whole" aria-labelledby="configuration-title">
            <h2 id="configuration-title">Configuration</h2>
            <Facts
              rows={[
                ["Running", duration(full.uptime_seconds)],
                ...Object.entries(full.configuration).map(([key, value]): Row => [key.replaceAll("_", " "), setting(value)]),
              ]}
            />
          </section>
        )}
      </div>
    </>
  );
}

function Warnings({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) {
    return (
      <p class="all-well">
        <Icon name="check" /> Nothing is degraded.
      </p>
    );
  }
  return (
    <section aria-labelledby="warnings-title">
      <h2 id="warnings-title" class="sr">Warnings</h2>
      <ul class="warnings">
        {warnings.map((warning) => (
          <li key={warning}>
            <Icon name="warning" />
            <bdi>{warning}</bdi>
          </li>
        ))}
      </ul>
    </section>
  );
}

function InterfaceCard({ of }: { of: Interface }) {
  const isFine = of.attached && of.coverage >= COMPLETE;
  const { counted_packets: counted, interface_packets: carried } = of;
  return (
    <section class="card interface" aria-label={`Interface ${of.name}`} data-interface={of.name}>
      <div class="card-head">
        <h3>
          <a href={deviceLink(`interface:${of.name}`)}><bdi>{shown(of.name)}</bdi></a>
        </h3>
        <span class="modes">
          {of.attached ? (
            <>
              <span class="tag" title="how what devices send is counted">{of.ingress_mode}</span>
              <span class="tag" title="how what devices receive is counted">{of.egress_mode}</span>
            </>
          ) : (
            <span class="tag tag-bad">not attached</span>
          )}
        </span>
      </div>
      <p class={`coverage ${isFine ? "good" : "bad"}`}>
        <span class="big num">{coverage(of.coverage)}</span>
        <span class="second">of the interface's packets are counted</span>
      </p>
      <span class={`meter-bar coverage-bar ${isFine ? "good" : "bad"}`} aria-hidden="true">
        <i style={{ width: `${Math.min(of.coverage, 1) * 100}%` }} />
      </span>
      {of.hint && <p class="hint"><Icon name="warning" /> <bdi>{of.hint}</bdi></p>}
      {of.note && <p class="muted small"><bdi>{of.note}</bdi></p>}
      {isCoarse(of) && (
        <p class="muted small">It counts many frames as one packet, as bridges and virtual links do: what is missing may not show here.</p>
      )}
      <Facts
        rows={[
          ["Counted", `${count(counted.received)} ↓ ${count(counted.sent)} ↑ packets`],
          ["Interface", `${count(carried.received)} ↓ ${count(carried.sent)} ↑ packets`],
          ["No IP", sizeText(of.non_ip_bytes)],
          ["In no local network", sizeText(of.outside_bytes)],
          ["Table full", <Bad if={of.overflow_bytes > 0}>{sizeText(of.overflow_bytes)}</Bad>],
        ]}
      />
    </section>
  );
}

/** Whether more was counted than the interface says that passed, by more than two readings differ. */
function isCoarse({ counted_packets: counted, interface_packets: carried }: Interface): boolean {
  const [all, passed] = [counted.received + counted.sent, carried.received + carried.sent];
  return passed >= 1000 && all > passed * 1.01;
}

type Row = [string, ComponentChildren];

function Facts({ rows }: { rows: Row[] }) {
  return (
    <dl class="facts pairs">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Bad({ if: isBad, children }: { if: boolean; children: ComponentChildren }) {
  return isBad ? <span class="bad">{children}</span> : <>{children}</>;
}

function milliseconds(seconds: number): string {
  const value = seconds * 1000;
  return `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
}

function setting(value: unknown): string {
  if (value === null) return "–";
  if (Array.isArray(value)) return value.length === 0 ? "none" : shown(value.join(", "));
  if (typeof value === "boolean") return value ? "yes" : "no";
  return shown(String(value));
}
