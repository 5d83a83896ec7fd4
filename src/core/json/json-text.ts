import type { Json } from "./json.ts";

/** How deep containers may nest, the event itself counted. */
export const MAX_DEPTH = 1_000;

const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Numbers that JSON.parse may round or overflow: many digits, or an exponent. Also found in some strings, which costs only time. */
const RISKY_NUMBER = /[:,[]\s*-?(?:\d{16}|[\d.]+[eE])/;
const LONE_NUMBER = /^\s*[-\d]/;
/** Also as a decimal writes it. */
const INTEGER = /^(-?\d+)(?:\.0+)?$/;

/**
 * Parses JSON text: integers beyond 2^53 become strings of digits, `__proto__` is an ordinary key, and nesting is
 * limited to 1,000. Throws an Error whose message never quotes the text, which is personal data.
 */
export function parseJsonText(text: string): Json {
  if (mayBeTooDeep(text) && isTooDeep(text)) {
    throw new Error(`Cannot read JSON: got nesting deeper than ${MAX_DEPTH}, want less`);
  }
  try {
    return RISKY_NUMBER.test(text) || LONE_NUMBER.test(text) ? JSON.parse(text, exactNumber) : JSON.parse(text);
  } catch {
    throw new Error(`Cannot read JSON: got ${text.length} characters that are not valid JSON`);
  }
}

/** As `parseJsonText`, but a blank text is null: so do writers without null say "absent". */
export function parseOptionalText(text: string): Json {
  return text.trim() === "" ? null : parseJsonText(text);
}

/** As `parseJsonText`, but nothing where the text is no JSON that can be read. */
export function tryParseJsonText(text: string): Json | undefined {
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}

/** The third argument is what ES2025 calls "JSON.parse source text access"; TypeScript's es2024 library lacks it. */
function exactNumber(_key: string, value: Json, context?: { readonly source?: string }): Json {
  if (typeof value !== "number" || context?.source === undefined) return value;
  if (!Number.isFinite(value)) return context.source;
  return Number.isSafeInteger(value) ? value : (INTEGER.exec(context.source)?.[1] ?? value);
}

/** Counting brackets up to the limit is much faster than following them, and nearly always enough. */
function mayBeTooDeep(text: string): boolean {
  if (text.length <= MAX_DEPTH * 2) return false;
  let count = 0;
  for (const bracket of "[{") {
    for (let at = text.indexOf(bracket); at !== -1 && count <= MAX_DEPTH; at = text.indexOf(bracket, at + 1))
      count += 1;
  }
  return count > MAX_DEPTH;
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) quoted = !quoted;
    else if (quoted) i += code === BACKSLASH ? 1 : 0;
    else if (OPENING.has(code)) depth += 1;
    else if (CLOSING.has(code)) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}
