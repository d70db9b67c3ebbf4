/** Buttons that change something: busy while they do, and what went wrong beside them. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { reason } from "../api/client.ts";
import { status } from "../live.ts";
import { useStore } from "../store.ts";

/** Whether this browser may change anything. Until the server says no, it may try. */
export function useCanChange(): boolean {
  return useStore(status, (status) => status?.can_change !== false);
}

/** Runs something once at a time and remembers why it failed. */
export function useAction(): { run: (work: () => Promise<unknown>) => Promise<boolean>; isBusy: boolean; error: string | null } {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const isThere = useRef(true);
  useEffect(() => () => void (isThere.current = false), []);
  const run = async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setError(null);
    try {
      await work();
      return true;
    } catch (error) {
      if (isThere.current) setError(reason(error));
      return false;
    } finally {
      if (isThere.current) setBusy(false);
    }
  };
  return { run, isBusy, error };
}

interface ButtonProps {
  work: () => Promise<unknown>;
  children: ComponentChildren;
  kind?: string;
  label?: string;
}

export function ActionButton({ work, children, kind = "", label }: ButtonProps) {
  const { run, isBusy, error } = useAction();
  const canChange = useCanChange();
  return (
    <>
      <button
        type="button"
        class={`button ${kind}`}
        disabled={isBusy || !canChange}
        aria-label={label}
        onClick={() => void run(work)}
      >
        {children}
      </button>
      <Wrong text={error} />
    </>
  );
}

/** What went wrong, as the server says it. */
export function Wrong({ text }: { text: string | null }) {
  return text === null ? null : (
    <p class="wrong" role="alert">
      {text}
    </p>
  );
}

/** Why nothing can be changed here. */
export function ReadOnly() {
  if (useCanChange()) return null;
  return (
    <p class="note">
      This page only shows: changing something over TCP needs a token. Set <code>http.token_file</code> in bwmon.toml.
    </p>
  );
}

/** A dialog that opens when it is there, and closes by Escape. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element?.open) element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose} onCancel={onClose}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}
