import { quote } from "../config/config-error.ts";
import type { Decide } from "../core/decide.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { JsonObject } from "../core/json/json.ts";
import type { ParsedRecord } from "../core/parsed-record.ts";
import { userOf } from "../core/rules/validate.ts";
import { toError } from "../core/to-error.ts";
import type { Decoder } from "../decoding/decoder.ts";
import type { Encode } from "../decoding/encoder.ts";
import { createRecordReader } from "../intake/record-reader.ts";
import { type EventItem, type SendItem, payloadOf } from "./send-events.ts";
import type { WireFormat } from "./send-wire.ts";
import { skipTexts } from "./skip-texts.ts";

export interface ExplainOptions {
  readonly wireFormat: WireFormat;
  readonly encode: Encode;
  readonly decoder: Decoder;
  readonly decide: Decide;
  /** Removes personal data. A dry run prints parts of the event, and build logs keep them. */
  readonly withoutPii: (event: JsonObject) => JsonObject;
}

/** What the service would do with one item. */
export interface Explanation {
  readonly location: string;
  /** The event for people, such as `track 'A' of user 'u1'`. */
  readonly title: string;
  /** The outcome, such as `call track` or `dead invalid_event`. */
  readonly label: string;
  /** The reason, as a sentence. */
  readonly why?: string;
  readonly repairs: readonly Repair[];
  /** The JSON that Gainsight would get. */
  readonly body?: string;
  /** Whether `send` would refuse the item: it has no event, or the format cannot hold the event. */
  readonly isUnsendable: boolean;
}

const unsendableLabel = "cannot be sent";

/** Writes, reads and decides each event by the service's own code, without sending anything. */
export const createExplainer = (options: ExplainOptions): ((item: SendItem) => Explanation) => {
  const parse = createDryRunParser(options);
  return (item) => {
    const { location } = item;
    if ("decision" in item)
      return { location, title: "no event", repairs: [], ...describeDecision(item.decision), isUnsendable: true };
    const common = { location, title: titleOf(options.withoutPii(item.event)) };
    try {
      const parsed = parse(item);
      const repairs = [...new Set([...item.repairs, ...(parsed?.repairs ?? [])])];
      return { ...common, repairs, ...describeDecision(parsed?.decision), isUnsendable: parsed === undefined };
    } catch (error) {
      const why = toError(error).message;
      return { ...common, repairs: item.repairs, label: unsendableLabel, why, isUnsendable: true };
    }
  };
};

const createDryRunParser = ({ wireFormat, encode, decoder, decide }: ExplainOptions) => {
  const read = createRecordReader({ decoder, decide });
  return (item: EventItem): ParsedRecord | undefined => {
    const record = {
      key: null,
      value: encode(payloadOf(item, wireFormat)),
      timestamp: String(Date.now()),
      attributes: 0,
      offset: "0",
      headers: {},
    };
    const result = read(record, { topic: "", partition: 0, tier: undefined });
    return result.kind === "parsed" ? result.parsedRecords[0] : undefined;
  };
};

const describeDecision = (
  decision: ParsedRecord["decision"] | undefined,
): Pick<Explanation, "label" | "why" | "body"> => {
  switch (decision?.kind) {
    case "call":
      return { label: `call ${decision.type}`, body: Buffer.from(decision.body).toString() };
    case "skipped":
      return { label: `skipped ${decision.reason}`, why: skipTexts[decision.reason] };
    case "dead":
    case "retry":
      return { label: `${decision.kind} ${decision.reason}`, why: decision.error };
    case undefined:
      return { label: unsendableLabel, why: "Its schema is not available" };
  }
};

const titleOf = (event: JsonObject): string => {
  const { type, event: name } = event;
  const kind = typeof type === "string" && type !== "" ? quote(type).slice(1, -1) : "event";
  const user = userOf(event);
  const nameText = typeof name === "string" ? ` ${quote(name)}` : "";
  return `${kind}${nameText} ${user === undefined ? "without a user" : `of user ${quote(user)}`}`;
};
