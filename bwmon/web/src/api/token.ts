/** The token that requests show. It is kept for the tab, or on this device when somebody says so. */

import { read, write } from "../settings.ts";

const KEY = "bwmon.token";
let token: string | null = read(KEY, "sessionStorage") ?? read(KEY, "localStorage");

export function hasToken(): boolean {
  return token !== null;
}

export function keepToken(next: string, onThisDevice: boolean): void {
  forgetToken();
  token = next;
  write(KEY, next, onThisDevice ? "localStorage" : "sessionStorage");
}

export function forgetToken(): void {
  token = null;
  write(KEY, null, "sessionStorage");
  write(KEY, null, "localStorage");
}

/** The headers of a request. No cookies: no page of another origin can ask with our rights. */
export function authorized(headers: Record<string, string> = {}): Headers {
  const all = new Headers(headers);
  if (token !== null) all.set("Authorization", `Bearer ${token}`);
  return all;
}
