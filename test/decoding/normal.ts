import { normalEvent } from "../../src/core/event/normal-form.ts";
import { type JsonObject, isObject } from "../../src/core/json/json.ts";
import type { Decoded } from "../../src/decoding/decoder.ts";
import type { Events } from "../../src/decoding/events.ts";

const now = () => Date.UTC(2026, 0, 1);

/** Without a timestamp that only stands in. */
const normal = (event: JsonObject): JsonObject => {
  const { timestamp, ...raw } = normalEvent(event, { recordTime: now(), now }).raw;
  return event["timestamp"] === undefined ? raw : { timestamp, ...raw };
};

/** What a decoder read, each event in its normal form. */
export const normalOf = (events: Events): Events => (isObject(events) ? normal(events) : events.map(normal));

/** The same of a whole decoder's answer. */
export const normalDecoded = (decoded: Decoded): Decoded => {
  if (decoded.kind === "event") return { ...decoded, raw: normal(decoded.raw) };
  return decoded.kind === "events" ? { ...decoded, raws: decoded.raws.map(normal) } : decoded;
};
