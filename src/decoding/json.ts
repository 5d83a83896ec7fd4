import { isAscii, isUtf8 } from "node:buffer";

import { parseJsonText } from "../core/json/json-text.ts";
import type { Json } from "../core/json/json.ts";

/** Decodes plain JSON, whatever it is. Throws as `parseJsonText` does, and on invalid UTF-8. */
export function readJson(payload: Buffer): Json {
  // half the time of UTF-8, and nearly all events are
  if (isAscii(payload)) return parseJsonText(payload.toString("latin1"));
  if (!isUtf8(payload)) throw new Error("Cannot read JSON: got bytes that are not valid UTF-8");
  return parseJsonText(withoutByteOrderMark(payload.toString("utf8")));
}

export function kindOf(value: Json | undefined): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function withoutByteOrderMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
