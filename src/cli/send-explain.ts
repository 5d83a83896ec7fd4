import { quote } from "../config/config-error.ts";
import type { Handler } from "../core/decide.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { JsonObject } from "../core/json/json.ts";
import type { Arrival } from "../core/parsed-record.ts";
import { userOf } from "../core/rules/validate.ts";
import type { Decoder } from "../decoding/decoder.ts";
import type { Encode } from "../decoding/encoder.ts";
import { createReader } from "../intake/record-reader.ts";
import { type EventItem, type Item, writtenOf } from "./send-events.ts";
import { skipTexts } from "./send-reasons.ts";
import type { Wire } from "./send-wire.ts";

export interface ExplainOptions {
  readonly wire: Wire;
  readonly encode: Encode;
  readonly decoder: Decoder;
  readonly handle: Handler;
  /** What may be seen of an event: what is printed ends in the logs of builds. */
  readonly withoutPii: (event: JsonObject) => JsonObject;
}

/** What the service would do with one event. */
export interface Verdict {
  readonly place: string;
  /** Which event it is, for people. */
  readonly title: string;
  /** The outcome, such as `call track` or `dead invalid_event`. */
  readonly label: string;
  /** Why, in a sentence. */
  readonly why?: string;
  readonly repairs: readonly Repair[];
  /** The JSON that Gainsight would get. */
  readonly body?: string;
  /** `send` would refuse it: it is no event, or cannot be written. */
  readonly isUnsendable: boolean;
}

const unsendable = "cannot be sent";

/** Says of each event what the service would do with it: it is written, read and judged by the service's own code. */
export const createExplainer = (options: ExplainOptions): ((item: Item) => Verdict) => {
  const judge = createJudge(options);
  return (item) => {
    const { place } = item;
    if ("meaning" in item)
      return { place, title: "no event", repairs: [], ...sayingOf(item.meaning), isUnsendable: true };
    const known = { place, title: titleOf(options.withoutPii(item.event)) };
    try {
      const arrival = judge(item);
      const repairs = [...new Set([...item.repairs, ...(arrival?.repairs ?? [])])];
      return { ...known, repairs, ...sayingOf(arrival?.meaning), isUnsendable: arrival === undefined };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ...known, repairs: item.repairs, label: unsendable, why, isUnsendable: true };
    }
  };
};

const createJudge = ({ wire, encode, decoder, handle }: ExplainOptions) => {
  const read = createReader({ decoder, handle });
  return (item: EventItem): Arrival | undefined => {
    const record = {
      key: null,
      value: encode(writtenOf(item, wire)),
      timestamp: String(Date.now()),
      attributes: 0,
      offset: "0",
      headers: {},
    };
    const reading = read(record, { topic: "", partition: 0, tier: undefined });
    return reading.kind === "arrivals" ? reading.arrivals[0] : undefined;
  };
};

const sayingOf = (meaning: Arrival["meaning"] | undefined): Pick<Verdict, "label" | "why" | "body"> => {
  switch (meaning?.kind) {
    case "call":
      return { label: `call ${meaning.call}`, body: Buffer.from(meaning.body).toString() };
    case "skipped":
      return { label: `skipped ${meaning.reason}`, why: skipTexts[meaning.reason] };
    case "dead":
    case "retry":
      return { label: `${meaning.kind} ${meaning.reason}`, why: meaning.error };
    case undefined:
      return { label: unsendable, why: "Its schema is not at hand" };
  }
};

const titleOf = (event: JsonObject): string => {
  const { type, event: name } = event;
  const kind = typeof type === "string" && type !== "" ? quote(type).slice(1, -1) : "event";
  const user = userOf(event);
  return `${kind}${typeof name === "string" ? ` ${quote(name)}` : ""} of ${user === undefined ? "nobody" : `user ${quote(user)}`}`;
};
