/** Who uses the line now: alerts, what all do together, and everybody by himself. */

import { LiveChart } from "../charts/live.tsx";
import { rate, sizeText } from "../core/format.ts";
import { firing, totals } from "../core/home.ts";
import { plural } from "../core/text.ts";
import { home } from "../live.ts";
import { AlertItem } from "../parts/alert.tsx";
import { Icon } from "../parts/icons.tsx";
import { useRateUnit } from "../parts/numbers.tsx";
import { useStore } from "../store.ts";
import { DeviceTable } from "./table.tsx";

/** Alerts that are shown here; the others are on their own page. */
const MOST_ALERTS = 3;

export function Overview() {
  return (
    <div class="overview">
      <div class="overview-now">
        <Firing />
        <section class="card now" aria-labelledby="now-title">
          <h2 id="now-title" class="sr">
            Now
          </h2>
          <LiveChart totals={<Totals />} />
        </section>
      </div>
      <DeviceTable />
    </div>
  );
}

function Firing() {
  const alerts = firing(useStore(home, (home) => home.alerts));
  if (alerts.length === 0) return null;
  const shown = alerts.slice(0, MOST_ALERTS);
  return (
    <section class="firing" aria-labelledby="firing-title">
      <h2 id="firing-title" class="sr">
        {plural(alerts.length, "alert")} firing
      </h2>
      <ul class="alerts">
        {shown.map((alert) => (
          <AlertItem key={alert.id} alert={alert} />
        ))}
      </ul>
      {alerts.length > shown.length && (
        <p class="more">
          <a href="#/alerts">{alerts.length - shown.length} more</a>
        </p>
      )}
    </section>
  );
}

function Totals() {
  const devices = useStore(home, (home) => home.devices);
  const unit = useRateUnit();
  const countsEverything = useStore(home, (home) => home.status?.counts_every_address ?? false);
  const sum = totals(devices.values(), countsEverything);
  const [received, sent] = [rate(sum.receivedRate, unit), rate(sum.sentRate, unit)];
  return (
    <dl class="totals">
      <div class="rx">
        <dt>
          <Icon name="down" /> Received
        </dt>
        <dd>
          <span class="big num" data-total="received">
            {received.value}
            <span class="unit">{received.unit}</span>
          </span>
          <span class="second num">{sizeText(sum.received)} today</span>
        </dd>
      </div>
      <div class="tx">
        <dt>
          <Icon name="up" /> Sent
        </dt>
        <dd>
          <span class="big num" data-total="sent">
            {sent.value}
            <span class="unit">{sent.unit}</span>
          </span>
          <span class="second num">{sizeText(sum.sent)} today</span>
        </dd>
      </div>
    </dl>
  );
}
