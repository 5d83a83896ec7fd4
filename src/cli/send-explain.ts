import { quote } from "../config/config-error.ts";
import type { Arrival } from "../core/arrival.ts";
import type { JsonObject } from "../core/event.ts";
import type { Handler } from "../core/handle.ts";
import { repairTexts } from "../core/repairs.ts";
import { userOf } from "../core/validate.ts";
import type { Decoder } from "../intake/decode.ts";
import type { Encode } from "../intake/encode.ts";
import { createReader } from "../intake/reader.ts";
import type { Item } from "./send-events.ts";

export interface ExplainOptions {
  readonly encode: Encode;
  readonly decoder: Decoder;
  readonly handle: Handler;
  /** Also shows the JSON that Gainsight would get. */
  readonly body: boolean;
  readonly print: (line: string) => void;
}

export interface Explainer {
  /** Prints what the service would do with an item. */
  readonly explain: (item: Item) => void;
  /** All items in one line, by what would become of them. */
  readonly totals: () => string;
  /** How many are no events, or cannot be written. */
  readonly unsendable: () => number;
}

/** Says of each event what the service would do with it: it is written, read and judged by the service's own code. */
export const createExplainer = (options: ExplainOptions): Explainer => {
  const { print, body } = options;
  const judge = createJudge(options);
  const counts = new Map<string, number>();
  const explain = (item: Item): void => {
    const verdict = judge(item);
    const title = "event" in item ? ` ${titleOf(item.event)}` : "";
    counts.set(verdict.label, (counts.get(verdict.label) ?? 0) + 1);
    print(`${item.place}:${title} → ${verdict.label}${verdict.detail}`);
    if ("event" in item) for (const repair of item.repairs) print(`  repaired ${repair}: ${repairTexts[repair]}`);
    if (body && verdict.body) print(verdict.body);
  };
  const totals = (): string => {
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const parts = [...counts].map(([label, count]) => `${count} ${label}`);
    return `${all} ${all === 1 ? "event" : "events"}: ${parts.join(", ")}. Nothing was sent`;
  };
  return { explain, totals, unsendable: () => counts.get(unsendable) ?? 0 };
};

const unsendable = "cannot be sent";

interface Verdict {
  readonly label: string;
  readonly detail: string;
  readonly body?: string;
}

const createJudge = ({ encode, decoder, handle }: ExplainOptions): ((item: Item) => Verdict) => {
  const read = createReader({ decoder, handle });
  const meaningOf = (event: JsonObject): Arrival["meaning"] | undefined => {
    const record = {
      key: null,
      value: encode(event),
      timestamp: String(Date.now()),
      attributes: 0,
      offset: "0",
      headers: {},
    };
    const reading = read(record, { topic: "", partition: 0, tier: undefined });
    return reading.kind === "arrivals" ? reading.arrivals[0]?.meaning : undefined;
  };
  return (item) => {
    if ("problem" in item) return { label: unsendable, detail: `: ${item.problem}` };
    try {
      return verdictOf(meaningOf(item.event));
    } catch (error) {
      return { label: unsendable, detail: `: ${error instanceof Error ? error.message : String(error)}` };
    }
  };
};

const verdictOf = (meaning: Arrival["meaning"] | undefined): Verdict => {
  switch (meaning?.kind) {
    case "call": {
      const { call, body } = meaning;
      return { label: `call ${call}`, detail: `, ${body.length} bytes`, body: Buffer.from(body).toString() };
    }
    case "skipped":
      return { label: `skipped ${meaning.reason}`, detail: "" };
    case "dead":
    case "retry":
      return { label: `${meaning.kind} ${meaning.reason}`, detail: `: ${meaning.error}` };
    case undefined:
      return { label: unsendable, detail: ": its schema is not at hand" };
  }
};

const titleOf = (event: JsonObject): string => {
  const { type, event: name } = event;
  const kind = typeof type === "string" && type !== "" ? quote(type).slice(1, -1) : "event";
  const user = userOf(event);
  return `${kind}${typeof name === "string" ? ` ${quote(name)}` : ""} of ${user === undefined ? "nobody" : `user ${quote(user)}`}`;
};
