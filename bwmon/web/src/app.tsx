/** The frame of every page: navigation, whether what is shown is of now, and what was just raised. */

import { useEffect, useRef, useState } from "preact/hooks";
import { locked } from "./api/client.ts";
import { hasToken } from "./api/token.ts";
import { duration, rateText } from "./core/format.ts";
import { firing, totals } from "./core/home.ts";
import { plural, shown } from "./core/text.ts";
import { home, link, logOut } from "./live.ts";
import { AlertsPage } from "./pages/alerts.tsx";
import { DevicePage } from "./pages/device.tsx";
import { HealthPage } from "./pages/health.tsx";
import { LogIn } from "./pages/login.tsx";
import { Overview } from "./pages/overview.tsx";
import { ReportPage } from "./pages/report.tsx";
import { Icon, type IconName } from "./parts/icons.tsx";
import { clock, useSeconds } from "./parts/time.tsx";
import { route, type Route } from "./router.ts";
import { rateUnit, theme, type Theme } from "./settings.ts";
import { useStore } from "./store.ts";
import icon from "./icon.svg";

const PAGES: { page: Route["page"]; hash: string; title: string; icon: IconName }[] = [
  { page: "overview", hash: "#/", title: "Overview", icon: "overview" },
  { page: "alerts", hash: "#/alerts", title: "Alerts", icon: "alerts" },
  { page: "report", hash: "#/report", title: "Report", icon: "report" },
  { page: "health", hash: "#/health", title: "Health", icon: "health" },
];

export function App() {
  const isLocked = useStore(locked, (locked) => locked);
  const here = useStore(route, (route) => route);
  const isStale = useStore(link, (link) => link.state === "stale");
  const isKnown = useStore(home, (home) => home.status !== null);
  useNewPage(here);
  useTitle();
  return (
    <div class={isStale ? "app stale" : "app"}>
      <a class="skip" href="#main" onClick={toMain}>
        To the content
      </a>
      <Header here={here} isLocked={isLocked} />
      <Stale />
      {isLocked ? (
        <LogIn />
      ) : (
        <main id="main" tabIndex={-1} class={`page page-${here.page}`}>
          {isKnown ? <Page here={here} /> : <Waiting />}
        </main>
      )}
      <Announcer />
    </div>
  );
}

function Page({ here }: { here: Route }) {
  switch (here.page) {
    case "overview":
      return <Overview />;
    case "device":
      return <DevicePage key={here.id} id={here.id} />;
    case "alerts":
      return <AlertsPage />;
    case "report":
      return <ReportPage />;
    case "health":
      return <HealthPage />;
  }
}

function Waiting() {
  const why = useStore(link, (link) => link.why);
  return (
    <p class="waiting muted">
      Waiting for bwmon{why === null ? "…" : `: ${why}.`}
    </p>
  );
}

function Header({ here, isLocked }: { here: Route; isLocked: boolean }) {
  const open = useStore(home, (home) => firing(home.alerts).filter((alert) => alert.acknowledged_at === null).length);
  return (
    <header class="top">
      <a class="brand" href="#/">
        <img src={icon} alt="" width="28" height="28" />
        <span>bwmon</span>
      </a>
      {!isLocked && (
        <nav aria-label="Pages">
          <ul>
            {PAGES.map(({ page, hash, title, icon }) => (
              <li key={page}>
                <a href={hash} {...(isHere(here, page) ? { "aria-current": "page" as const } : {})}>
                  <Icon name={icon} />
                  {title}
                  {page === "alerts" && open > 0 && (
                    <span class="badge num">
                      {open}
                      <span class="sr"> firing</span>
                    </span>
                  )}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      )}
      <div class="top-end">
        {!isLocked && <LinkState />}
        <Units />
        <Themes />
        {!isLocked && hasToken() && (
          <button type="button" class="icon-button" aria-label="Log out" title="Log out" onClick={logOut}>
            <Icon name="out" />
          </button>
        )}
      </div>
    </header>
  );
}

function isHere(here: Route, page: Route["page"]): boolean {
  return here.page === page || (here.page === "device" && page === "overview");
}

function LinkState() {
  const state = useStore(link, (link) => (link.state === "live" && link.why !== null ? "connecting" : link.state));
  const host = useStore(home, (home) => home.interfaces.map((each) => each.name).join(", "));
  return (
    <span class={`link link-${state}`} title={host}>
      <i aria-hidden="true" />
      <span>{state === "live" ? "live" : state === "stale" ? "stale" : "connecting"}</span>
    </span>
  );
}

function Units() {
  const unit = useStore(rateUnit, (unit) => unit);
  const other = unit === "bits" ? "bytes" : "bits";
  return (
    <button
      type="button"
      class="icon-button text"
      aria-label={unit === "bits" ? "Mbit/s: rates in bits; show bytes" : "MB/s: rates in bytes; show bits"}
      title="Bits or bytes"
      onClick={() => rateUnit.set(other)}
    >
      {unit === "bits" ? "Mbit/s" : "MB/s"}
    </button>
  );
}

const THEMES: Record<Theme, { next: Theme; icon: IconName; words: string }> = {
  auto: { next: "light", icon: "auto", words: "Theme: as the system" },
  light: { next: "dark", icon: "sun", words: "Theme: light" },
  dark: { next: "auto", icon: "moon", words: "Theme: dark" },
};

function Themes() {
  const chosen = useStore(theme, (theme) => theme);
  const { next, icon, words } = THEMES[chosen];
  return (
    <button type="button" class="icon-button" aria-label={words} title={words} onClick={() => theme.set(next)}>
      <Icon name={icon} />
    </button>
  );
}

/** Says that what is shown is not of now, and since when. */
function Stale() {
  const { state, heard, why } = useStore(link, (link) => link);
  const isLocked = useStore(locked, (locked) => locked);
  const isStale = state === "stale" && !isLocked;
  const now = useSeconds(isStale);
  if (!isStale) return null;
  return (
    <div class="stale-banner">
      <Icon name="warning" />
      {heard === null ? (
        <span>bwmon does not answer</span>
      ) : (
        <span>
          Data is stale: nothing came since <time class="num">{clock(heard / 1000, true)}</time>, {duration((now - heard) / 1000)} ago
        </span>
      )}
      <span class="muted">{why === null ? "" : `${why}. `}Reconnecting…</span>
    </div>
  );
}

/** Reads new alerts out, and nothing else. */
function Announcer() {
  const alerts = useStore(home, (home) => home.alerts);
  const known = useRef<Set<string> | null>(null);
  const [words, setWords] = useState("");
  useEffect(() => {
    const now = firing(alerts);
    const before = known.current;
    known.current = new Set(now.map((alert) => alert.id));
    // Those that were there when the page came are on the page.
    if (before === null || home.get().at === null) {
      if (home.get().at === null) known.current = null;
      return;
    }
    const fresh = now.filter((alert) => !before.has(alert.id));
    if (fresh.length > 0) setWords(fresh.map((alert) => shown(alert.description)).join(" "));
  }, [alerts]);
  return (
    <div class="sr" aria-live="polite" role="status" data-announcer>
      {words}
    </div>
  );
}

/** Each page begins at its top, with the focus in it; the first one is left as the browser has it. */
function useNewPage(here: Route): void {
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [here]);
}

/** What the tab says: alerts first, then the rates. */
function useTitle(): void {
  useEffect(() => {
    const tell = () => {
      const { alerts, devices, status } = home.get();
      if (!status) {
        document.title = "bwmon";
        return;
      }
      const open = firing(alerts).filter((alert) => alert.acknowledged_at === null).length;
      const { receivedRate, sentRate } = totals(devices.values(), status.counts_every_address);
      const rates = `↓ ${rateText(receivedRate, rateUnit.get())} ↑ ${rateText(sentRate, rateUnit.get())}`;
      document.title = `${open > 0 ? `(${plural(open, "alert")}) ` : ""}${rates} · bwmon`;
    };
    tell();
    return home.subscribe(tell);
  }, []);
}

function toMain(event: MouseEvent): void {
  event.preventDefault();
  const main = document.getElementById("main");
  main?.focus();
  main?.scrollIntoView();
}
