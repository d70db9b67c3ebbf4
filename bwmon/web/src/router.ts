/** Which page the hash names. The server sees nothing of it, so it works below any path. */

import { createStore } from "./store.ts";

export type Route =
  | { page: "overview" }
  | { page: "device"; id: string }
  | { page: "alerts" }
  | { page: "report" }
  | { page: "health" };

export const route = createStore<Route>(parse(location.hash));

/** The link to a device's page; also of `group:NAME` and `interface:NAME`. */
export function deviceLink(id: string): string {
  return `#/devices/${encodeURIComponent(id)}`;
}

export function followHash(): void {
  addEventListener("hashchange", () => route.set(parse(location.hash)));
}

function parse(hash: string): Route {
  const [, page, id] = hash.split("/");
  switch (page) {
    case "devices":
      return id ? { page: "device", id: decoded(id) } : { page: "overview" };
    case "alerts":
    case "report":
    case "health":
      return { page };
    default:
      return { page: "overview" };
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
