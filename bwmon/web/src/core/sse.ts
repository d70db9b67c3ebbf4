/** Reads server-sent events out of pieces of text, as the HTML standard says (section 9.2.6). */

export interface ServerEvent {
  event: string;
  data: string;
}

/** Longest line or event that is taken: a thousand devices are well below it. */
const LONGEST = 32 * 1024 * 1024;

/** A parser that is fed with pieces, however they are cut, and gives whole events. */
export class EventParser {
  #rest: string[] = [];
  #length = 0;
  #event = "";
  #data: string[] = [];
  #size = 0;
  #afterReturn = false;

  /**
   * The events that end in `piece`.
   *
   * @throws RangeError when a line or an event does not end.
   */
  push(piece: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    let start = 0;
    // A CR LF may come in two pieces.
    if (this.#afterReturn && piece.startsWith("\n")) start = 1;
    if (piece !== "") this.#afterReturn = false;
    for (;;) {
      const end = lineEnd(piece, start);
      if (end < 0) break;
      const line = this.#rest.length === 0 ? piece.slice(start, end) : this.#rest.join("") + piece.slice(start, end);
      this.#rest = [];
      this.#length = 0;
      const event = this.#line(line);
      if (event) events.push(event);
      start = end + 1;
      if (piece[end] === "\r") {
        if (start === piece.length) this.#afterReturn = true;
        else if (piece[start] === "\n") start += 1;
      }
    }
    if (start < piece.length) {
      this.#length += piece.length - start;
      check(this.#length);
      this.#rest.push(piece.slice(start));
    }
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return undefined;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") this.#event = value;
    if (field === "data") {
      this.#size += value.length;
      check(this.#size);
      this.#data.push(value);
    }
    return undefined;
  }

  #dispatch(): ServerEvent | undefined {
    const event = { event: this.#event || "message", data: this.#data.join("\n") };
    const isEmpty = this.#data.length === 0;
    this.#event = "";
    this.#data = [];
    this.#size = 0;
    return isEmpty ? undefined : event;
  }
}

function lineEnd(text: string, from: number): number {
  const feed = text.indexOf("\n", from);
  const before = feed < 0 ? text.indexOf("\r", from) : text.slice(from, feed).indexOf("\r");
  if (feed < 0) return before;
  return before < 0 ? feed : from + before;
}

function check(length: number): void {
  if (length > LONGEST) throw new RangeError("the stream has an event that does not end");
}
