import { randomUUID } from "node:crypto";

import { camelEnvelope } from "../core/envelope-names.ts";
import type { JsonObject } from "../core/event.ts";
import { normalEvent } from "../core/normal-form.ts";
import type { Repair } from "../core/repairs.ts";
import { createSkippedTypes, parseEvent } from "../core/validate.ts";
import { createDecoder } from "../intake/decode.ts";
import { toRecord } from "../intake/encode.ts";
import { type Input, type Piece, piecesOf } from "./send-input.ts";
import type { Wire } from "./send-wire.ts";

/** One event to send, or why what stood at its place is none. */
export type Item =
  | { readonly place: string; readonly event: JsonObject; readonly repairs: readonly Repair[] }
  | { readonly place: string; readonly problem: string };

/** The events of the input, one at a time, each with a messageId and a timestamp. Throws a sentence where there is none. */
export async function* eventsOf(input: Input): AsyncGenerator<Item> {
  let isEmpty = true;
  for await (const piece of piecesOf(input)) {
    isEmpty = false;
    yield* read(piece);
  }
  if (isEmpty) throw new Error("Cannot find an event: got nothing, want JSON lines, a JSON array or one JSON object");
}

const decoder = createDecoder({ format: "json" });

/** A line may hold a list, or a wrapper: each event in it goes on its own. */
const read = ({ place, bytes }: Piece): readonly Item[] => {
  const decoded = decoder.decode(bytes);
  if (decoded.kind === "event") return [itemOf(place, decoded.raw, decoded.repairs)];
  if (decoded.kind !== "events")
    return [{ place, problem: "error" in decoded ? decoded.error : "Cannot find an event: got nothing, want one" }];
  if (decoded.raws.length === 0) return [{ place, problem: "Cannot find an event: got an empty list, want one event" }];
  return decoded.raws.map((raw, index) => itemOf(`${place}, event ${index + 1}`, raw, decoded.repairs));
};

const itemOf = (place: string, decoded: JsonObject, unwrapped: readonly Repair[] | undefined): Item => {
  const now = Date.now();
  const standIns = { recordTime: now, now: () => now };
  const { raw, repairs } = normalEvent(complete(camelEnvelope(decoded)), standIns, unwrapped);
  return { place, event: repairs.includes("traits_from_context") ? withoutCopy(raw) : raw, repairs };
};

/**
 * Its traits are those of its context, and the service takes them from there itself. Written twice, the one would be no copy of
 * the other any more, and a rule on personal data in the context would leave it in the traits.
 */
const withoutCopy = (event: JsonObject): JsonObject => ({ ...event, traits: undefined });

/** Only what a library of Segment's would fill in as well. If the event has another time, the service's own rules apply. */
const complete = (event: JsonObject): JsonObject => ({
  ...event,
  messageId: given(event["messageId"]) ?? randomUUID(),
  timestamp: given(event["timestamp"]) ?? (hasTime(event) ? undefined : new Date().toISOString()),
});

const hasTime = ({ originalTimestamp, sentAt, receivedAt }: JsonObject): boolean =>
  [originalTimestamp, sentAt, receivedAt].some((time) => given(time) !== undefined);

const given = (value: JsonObject[string]): JsonObject[string] => (value === null || value === "" ? undefined : value);

export interface Rules {
  readonly wire: Wire;
  /** Events that break a rule of Segment's are sent as well, to see what becomes of them. */
  readonly invalid: boolean;
  /** Of the settings. */
  readonly skippedTypes: readonly string[];
}

/** Why an item cannot be sent, in a sentence; undefined where it can. */
export const problemOf = (item: Item, { wire, invalid, skippedTypes }: Rules): string | undefined => {
  if ("problem" in item) return item.problem;
  const parsed = parseEvent(item.event, createSkippedTypes(skippedTypes));
  if (!invalid && "kind" in parsed) return parsed.error;
  return wire === "json" ? undefined : misfitOf(item.event);
};

const misfitOf = (event: JsonObject): string | undefined => {
  try {
    toRecord(event);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
