/** A name that others chose: text only, set apart so that it turns nothing around it. */

import { shown } from "../core/text.ts";

export function Name({ text }: { text: string }) {
  const name = shown(text);
  return (
    <bdi class="name" title={name}>
      {name}
    </bdi>
  );
}
