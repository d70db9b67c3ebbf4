/** What the owner says of a device: its entry in the registered devices. Only what was changed is sent. */

import { useState } from "preact/hooks";
import { api, reason } from "../api/client.ts";
import { changed, fieldText, FIELDS } from "../core/entry.ts";
import { shown } from "../core/text.ts";
import type { Device, Registration } from "../core/types.ts";
import { changedDevice } from "../live.ts";
import { Dialog, useAction, useCanChange, Wrong } from "../parts/action.tsx";
import { useAnswer } from "../parts/ask.ts";

export function DeviceForm({ device }: { device: Device }) {
  const [version, setVersion] = useState(0);
  const { value, error } = useAnswer(`${device.id} ${version}`, async (signal) => ({
    registration: await api.registration(device.id, signal),
    version,
  }));
  return (
    <section class="card" aria-labelledby="entry-title">
      <h2 id="entry-title">What you say of it</h2>
      <Wrong text={error} />
      {value && (
        <Fields
          // A new entry is a new form.
          key={value.version}
          device={device}
          registration={value.registration}
          onDone={() => setVersion((version) => version + 1)}
        />
      )}
    </section>
  );
}

interface Props {
  device: Device;
  registration: Registration | null;
  onDone: () => void;
}

function Fields({ device, registration, onDone }: Props) {
  const { run, isBusy, error } = useAction();
  const canChange = useCanChange();
  const [isForgetting, setForgetting] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const entry = registration?.entry ?? {};
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    setSaid(null);
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const patch = changed(entry, Object.fromEntries([...form].map(([name, value]) => [name, String(value)])));
    if (Object.keys(patch).length === 0) {
      setSaid("Nothing was changed.");
      return;
    }
    const isDone = await run(async () => {
      const next = await api.change(device.id, patch);
      if (next) changedDevice(next);
    });
    if (isDone) onDone();
  };
  return (
    <form class="form" onSubmit={(event) => void onSubmit(event)}>
      {FIELDS.map(({ name, label, hint }) => {
        const text = fieldText(entry[name]);
        return (
          <label key={name}>
            {label}
            <input
              name={name}
              defaultValue={text ?? ""}
              placeholder={text === null ? "set in the file, in more words" : hint}
              disabled={!canChange || text === null}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
        );
      })}
      <label class="check">
        <input type="checkbox" name="mute" value="true" defaultChecked={entry.mute === true} disabled={!canChange} />
        no alerts for it
      </label>
      <Wrong text={error} />
      {said !== null && <p class="note">{said}</p>}
      <div class="form-end">
        {registration !== null && (
          <button type="button" class="button quiet" disabled={!canChange} onClick={() => setForgetting(true)}>
            Delete entry…
          </button>
        )}
        <button type="submit" class="button primary" disabled={isBusy || !canChange}>
          Save
        </button>
      </div>
      {registration !== null && (
        <p class="muted small">
          Kept in <span class="mono">{shown(registration.file)}</span> as <span class="mono">{shown(registration.key)}</span>. What is empty
          comes from its group, a prefix or the defaults.
        </p>
      )}
      {isForgetting && <Forget device={device} onDone={onDone} onClose={() => setForgetting(false)} />}
    </form>
  );
}

function Forget({ device, onDone, onClose }: { device: Device; onDone: () => void; onClose: () => void }) {
  const [error, setError] = useState<string | null>(null);
  const forget = async () => {
    try {
      await api.forget(device.id);
      onClose();
      onDone();
    } catch (error) {
      setError(reason(error));
    }
  };
  return (
    <Dialog title="Delete the entry" onClose={onClose}>
      <p>
        What you said of <bdi>{shown(device.name)}</bdi> is removed from the file. The device and its history stay.
      </p>
      <Wrong text={error} />
      <div class="form-end">
        <button type="button" class="button quiet" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="button danger" onClick={() => void forget()}>
          Delete entry
        </button>
      </div>
    </Dialog>
  );
}
