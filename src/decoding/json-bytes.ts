import { isAscii, isUtf8 } from "node:buffer";

import { parseJsonText } from "../core/json/json-text.ts";
import type { Json } from "../core/json/json.ts";

/** Parses the bytes of any JSON value. Throws like `parseJsonText`, and on invalid UTF-8. */
export function parseJsonBytes(payload: Buffer): Json {
  // Nearly all events are ASCII, and latin1 takes half the time of UTF-8.
  if (isAscii(payload)) return parseJsonText(payload.toString("latin1"));
  if (!isUtf8(payload)) throw new Error("Cannot read JSON: got bytes that are not valid UTF-8");
  return parseJsonText(withoutByteOrderMark(payload.toString("utf8")));
}

function withoutByteOrderMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
