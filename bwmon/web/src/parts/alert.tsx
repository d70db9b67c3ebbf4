/** An alert in a list: what happened, since when, and what can be done about it. */

import { useState } from "preact/hooks";
import { api, type MuteWanted } from "../api/client.ts";
import { plainRate, plainSize, duration, rateText, sizeText } from "../core/format.ts";
import { shown, words } from "../core/text.ts";
import { RULES, type Alert, type Rule } from "../core/types.ts";
import { changedAlert, changedMutes } from "../live.ts";
import { deviceLink } from "../router.ts";
import { ActionButton, Dialog, useAction, useCanChange, Wrong } from "./action.tsx";
import { Icon } from "./icons.tsx";
import { Name } from "./name.tsx";
import { useRateUnit } from "./numbers.tsx";
import { Lasting, shortTime } from "./time.tsx";

export function AlertItem({ alert, withDevice = true }: { alert: Alert; withDevice?: boolean }) {
  const [isMuting, setMuting] = useState(false);
  const canChange = useCanChange();
  const isOpen = alert.state !== "resolved";
  return (
    <li class={`alert alert-${alert.severity} alert-${alert.state}`} data-alert={alert.id}>
      <span class="alert-mark" title={alert.severity}>
        <Icon name={isOpen ? "warning" : "check"} />
        <span class="sr">{alert.severity}</span>
      </span>
      <div class="alert-words">
        <p class="alert-head">
          {withDevice && (
            <a href={deviceLink(alert.device.id)}>
              <Name text={alert.device.name} />
            </a>
          )}
          <span class="tag">{words(alert.rule)}</span>
          {alert.state !== "firing" && <span class="tag">{alert.state}</span>}
          {alert.muted && <span class="tag">muted</span>}
          {alert.acknowledged_at !== null && (
            <span class="tag tag-ok">
              acknowledged{alert.acknowledged_by !== null && <> by <bdi>{shown(alert.acknowledged_by)}</bdi></>}
            </span>
          )}
        </p>
        <p class="alert-text">
          <bdi>{shown(alert.description)}</bdi>
        </p>
        <p class="muted alert-facts">
          <time dateTime={alert.started_at}>{shortTime(alert.started_at)}</time> · <Lasting from={alert.started_at} to={alert.ended_at} />
          {isOpen && <Measure alert={alert} />}
        </p>
      </div>
      {isOpen && (
        <div class="alert-actions">
          {alert.state === "firing" &&
            (alert.acknowledged_at === null ? (
              <ActionButton work={async () => changedAlert(await api.acknowledge(alert.id, ""))}>Acknowledge</ActionButton>
            ) : (
              <ActionButton kind="quiet" work={async () => changedAlert(await api.takeBack(alert.id))}>
                Take back
              </ActionButton>
            ))}
          <button type="button" class="button quiet" disabled={!canChange} onClick={() => setMuting(true)}>
            <Icon name="mute" /> Mute…
          </button>
        </div>
      )}
      {isMuting && (
        <MuteDialog device={alert.device.id} name={alert.device.name} rule={alert.rule} onClose={() => setMuting(false)} />
      )}
    </li>
  );
}

/** What is seen, and what is allowed. */
function Measure({ alert }: { alert: Alert }) {
  const unit = useRateUnit();
  if (alert.rule === "new_device" || alert.rule === "silent") return null;
  const [text, plain] = {
    bytes: [sizeText, plainSize] as const,
    bytes_per_second: [(value: number) => rateText(value, unit), (value: number) => plainRate(value, unit)] as const,
    seconds: [duration, duration] as const,
  }[alert.unit];
  return (
    <>
      {" · "}
      <span class="num">{text(alert.observed)}</span> of <span class="num">{plain(alert.threshold)}</span>
    </>
  );
}

const FOR_HOW_LONG: [string, number | null][] = [
  ["1 hour", 3600],
  ["8 hours", 8 * 3600],
  ["1 day", 86400],
  ["1 week", 7 * 86400],
  ["until I take it back", null],
];

/** Whom and what to mute, how long and why. */
export function MuteDialog({ device, name, rule, onClose }: { device: string | null; name: string; rule: Rule | null; onClose: () => void }) {
  const { run, isBusy, error } = useAction();
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const chosen = (field: string) => String(form.get(field) ?? "");
    const wanted: MuteWanted = {};
    if (device !== null && chosen("device") !== "") wanted.device = device;
    const rule = RULES.find((rule) => rule === chosen("rule"));
    if (rule) wanted.rule = rule;
    if (chosen("seconds") !== "") wanted.seconds = Number(chosen("seconds"));
    if (chosen("reason").trim() !== "") wanted.reason = chosen("reason").trim();
    const isDone = await run(async () => {
      const mute = await api.mute(wanted);
      changedMutes((mutes) => [...mutes.filter((other) => other.id !== mute.id), mute]);
    });
    if (isDone) onClose();
  };
  return (
    <Dialog title="Mute" onClose={onClose}>
      <form class="form" onSubmit={(event) => void onSubmit(event)}>
        <label>
          Alerts of
          <select name="device">
            {device !== null && <option value="this">{shown(name)}</option>}
            <option value="">all devices</option>
          </select>
        </label>
        <label>
          Rule
          <select name="rule">
            <option value="">all rules</option>
            {RULES.map((each) => (
              <option key={each} value={each} selected={each === rule}>
                {words(each)}
              </option>
            ))}
          </select>
        </label>
        <label>
          For
          <select name="seconds">
            {FOR_HOW_LONG.map(([words, seconds]) => (
              <option key={words} value={seconds ?? ""}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          Why
          <input name="reason" maxLength={200} placeholder="optional" autocomplete="off" />
        </label>
        <Wrong text={error} />
        <div class="form-end">
          <button type="button" class="button quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={isBusy}>
            Mute
          </button>
        </div>
      </form>
    </Dialog>
  );
}
