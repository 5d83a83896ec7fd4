import type { Json } from "./json.ts";

/** How deep objects and lists may nest; the event itself is level 1. */
export const maxJsonDepth = 1_000;

const openingBrackets = new Set([0x5b, 0x7b]);
const closingBrackets = new Set([0x5d, 0x7d]);
const quoteByte = 0x22;
const backslashByte = 0x5c;

/**
 * Numbers that `JSON.parse` may round or overflow: 16 digits or more, or an exponent. It also matches inside strings; that costs only
 * time.
 */
const riskyNumberPattern = /[:,[]\s*-?(?:\d{16}|[\d.]+[eE])/;
const loneNumberPattern = /^\s*[-\d]/;
/** An integer, also with zeros behind a decimal point. */
const integerPattern = /^(-?\d+)(?:\.0+)?$/;

/**
 * Parses JSON text. Integers beyond 2^53 become strings of digits, `__proto__` is an ordinary key, and nesting is limited to 1,000
 * levels. Throws an Error if the text is not such JSON; its message never quotes the text, which may hold personal data.
 */
export function parseJsonText(text: string): Json {
  if (mayBeTooDeep(text) && isTooDeep(text)) {
    throw new Error(`Cannot read JSON: got nesting deeper than ${maxJsonDepth}, want less`);
  }
  try {
    return riskyNumberPattern.test(text) || loneNumberPattern.test(text)
      ? JSON.parse(text, reviveExactNumber)
      : JSON.parse(text);
  } catch {
    throw new Error(`Cannot read JSON: got ${text.length} characters that are not valid JSON`);
  }
}

/** Like `parseJsonText`, but blank text is null: producers whose schema has no null write blank text for "absent". */
export function parseOptionalText(text: string): Json {
  return text.trim() === "" ? null : parseJsonText(text);
}

/** Like `parseJsonText`, but returns undefined if the text cannot be parsed. */
export function tryParseJsonText(text: string): Json | undefined {
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}

/**
 * Like `parseOptionalText`, and parses again if the result is itself JSON text: some producers encode a value twice. Returns a text
 * that is not JSON unchanged.
 */
export function parseNestedText(text: string): Json {
  try {
    const value = parseOptionalText(text);
    return typeof value === "string" && value !== text ? parseNestedText(value) : value;
  } catch {
    return text;
  }
}

/**
 * Replaces a rounded or overflown number by its digits. The third argument is part of the proposal "JSON.parse source text access"
 * (https://github.com/tc39/proposal-json-parse-with-source), which TypeScript's es2024 library lacks.
 */
function reviveExactNumber(_key: string, value: Json, context?: { readonly source?: string }): Json {
  if (typeof value !== "number" || context?.source === undefined) return value;
  if (!Number.isFinite(value)) return context.source;
  return Number.isSafeInteger(value) ? value : (integerPattern.exec(context.source)?.[1] ?? value);
}

/** Counting the opening brackets is much faster than matching them, and is nearly always enough. */
function mayBeTooDeep(text: string): boolean {
  if (text.length <= maxJsonDepth * 2) return false;
  let count = 0;
  for (const bracket of "[{") {
    for (let at = text.indexOf(bracket); at !== -1 && count <= maxJsonDepth; at = text.indexOf(bracket, at + 1))
      count += 1;
  }
  return count > maxJsonDepth;
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quoteByte) isInString = !isInString;
    else if (isInString) i += code === backslashByte ? 1 : 0;
    else if (openingBrackets.has(code)) depth += 1;
    else if (closingBrackets.has(code)) depth -= 1;
    if (depth > maxJsonDepth) return true;
  }
  return false;
}
