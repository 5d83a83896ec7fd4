import type { JsonObject } from "../core/event.ts";
import { userOf } from "../core/validate.ts";
import type { Encode } from "../intake/encode.ts";
import { type Rules, eventsOf, problemOf } from "./send-events.ts";
import type { Input } from "./send-input.ts";
import type { OutgoingRecord, Sink } from "./send-kafka.ts";

type Say = (line: string) => void;

const maxShownProblems = 10;
/** A broker takes about 1 MB at a time. */
const maxBatch = { records: 500, bytes: 512 * 1024 };
const progressEveryMs = 3_000;

/** Reads all events. Throws a sentence with the first mistakes and their places where one cannot be sent. */
export const checkAll = async (input: Input, { say, ...rules }: Rules & { readonly say: Say }): Promise<void> => {
  const problems: string[] = [];
  const tick = createProgress("Checked", say);
  let count = 0;
  for await (const item of eventsOf(input)) {
    const problem = problemOf(item, rules);
    if (problem !== undefined) problems.push(`  ${item.place}: ${problem}`);
    if (problems.length === maxShownProblems) break;
    tick((count += 1));
  }
  if (problems.length > 0) throw new Error(["Cannot send these events, so nothing is sent:", ...problems].join("\n"));
};

export interface SendAllOptions {
  readonly sink: Pick<Sink, "send">;
  readonly encode: Encode;
  readonly say: Say;
}

export interface Sent {
  readonly count: number;
  /** Those that took something, as `0, 2`. */
  readonly partitions: string;
}

/** Sends all events in their order. Where that fails, says how far it came. */
export const sendAll = async (input: Input, { sink, encode, say }: SendAllOptions): Promise<Sent> => {
  const partitions = new Set<number>();
  const tick = createProgress("Sent", say);
  let count = 0;
  for await (const { records, from } of batchesOf(input, encode)) {
    const answers = await sink.send(records).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${why}. Sent for certain: the ${count} events before ${from}`, { cause: error });
    });
    for (const partition of answers) partitions.add(partition);
    tick((count += records.length));
  }
  return { count, partitions: [...partitions].sort((a, b) => a - b).join(", ") };
};

interface Batch {
  readonly records: readonly OutgoingRecord[];
  /** Where its first event stood. */
  readonly from: string;
}

async function* batchesOf(input: Input, encode: Encode): AsyncGenerator<Batch> {
  let records: OutgoingRecord[] = [];
  let from = "";
  let bytes = 0;
  for await (const item of eventsOf(input)) {
    if ("problem" in item) throw new Error(`Cannot send ${item.place}, the file has changed: ${item.problem}`);
    const record = recordOf(item.event, encode);
    if (records.length === maxBatch.records || bytes + record.value.length > maxBatch.bytes) {
      if (records.length > 0) yield { records, from };
      records = [];
      bytes = 0;
    }
    if (records.length === 0) from = item.place;
    records.push(record);
    bytes += record.value.length;
  }
  if (records.length > 0) yield { records, from };
}

const recordOf = (event: JsonObject, encode: Encode): OutgoingRecord => ({
  key: userOf(event) ?? null,
  value: encode(event),
});

/** A line every few seconds while it takes long. */
const createProgress = (done: string, say: Say): ((count: number) => void) => {
  let saidAt = performance.now();
  return (count) => {
    if (performance.now() - saidAt < progressEveryMs) return;
    saidAt = performance.now();
    say(`${done} ${count} events`);
  };
};
