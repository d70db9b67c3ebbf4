/** An entry of the registered devices as fields of a form, and what was changed as a merge patch. */

/** The fields that the form has; a hint is an example of what may be in it. */
export const FIELDS = [
  { name: "name", label: "Name", hint: "as others call it" },
  { name: "group", label: "Group", hint: "none" },
  { name: "bandwidth_threshold", label: "Threshold a day", hint: "5 GB, or off" },
  { name: "rate_threshold", label: "Threshold of the rate", hint: "20 Mbit/s, or off" },
  { name: "max_active_time", label: "Active time a day", hint: "3h, or off" },
  { name: "quota", label: "Quota a cycle", hint: "100 GB, or off" },
] as const;

/** A value as text; null where it says more than a text can. */
export function fieldText(value: unknown): string | null {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : null;
}

/** The fields that are another than they were: empty ones are removed by null. */
export function changed(entry: Readonly<Record<string, unknown>>, form: Readonly<Record<string, string>>): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const { name } of FIELDS) {
    const before = fieldText(entry[name]);
    const now = form[name]?.trim();
    if (before === null || now === undefined || now === before) continue;
    patch[name] = now === "" ? null : now;
  }
  const isMuted = form.mute === "true";
  if (isMuted !== (entry.mute === true)) patch.mute = isMuted ? true : null;
  return patch;
}
