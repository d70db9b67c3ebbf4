/** Asks something of the API for as long as a component is there. */

import { useEffect, useRef, useState } from "preact/hooks";
import { reason } from "../api/client.ts";

export interface Answer<T> {
  value: T | null;
  error: string | null;
  isAsking: boolean;
}

/**
 * The answer to `ask`, which is asked again when `key` changes, and after `every` seconds. A new question
 * ends the one before; what is there stays until something new is.
 */
export function useAnswer<T>(key: string, ask: (signal: AbortSignal) => Promise<T>, { every, wait = 0 }: { every?: number; wait?: number } = {}): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ value: null, error: null, isAsking: true });
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const aborter = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      setAnswer((before) => ({ ...before, isAsking: true }));
      try {
        const value = await latest.current(aborter.signal);
        if (!aborter.signal.aborted) setAnswer({ value, error: null, isAsking: false });
      } catch (error) {
        if (!aborter.signal.aborted) setAnswer((before) => ({ ...before, error: reason(error), isAsking: false }));
      }
      if (!aborter.signal.aborted && every !== undefined) timer = setTimeout(look, every * 1000);
    };
    timer = setTimeout(look, wait);
    return () => {
      aborter.abort();
      clearTimeout(timer);
    };
  }, [key, every]);
  return answer;
}
