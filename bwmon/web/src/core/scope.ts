/** Which traffic amounts are of. */

import type { Moved, Scope } from "./types.ts";

/** The same, with amounts of that traffic alone. */
export function inScope<Row extends Moved>(row: Row, scope: Scope): Row {
  const of = (all: number, local: number) => (scope === "all" ? all : scope === "local" ? local : all - local);
  return { ...row, sent: of(row.sent, row.sent_local), received: of(row.received, row.received_local) };
}
