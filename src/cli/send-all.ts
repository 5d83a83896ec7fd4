import { userOf } from "../core/rules/validate.ts";
import type { Encode } from "../decoding/encoder.ts";
import { type EventItem, type Rules, eventsOf, problemOf, writtenOf } from "./send-events.ts";
import type { Source } from "./send-input.ts";
import type { OutgoingRecord, Sink } from "./send-kafka.ts";
import type { Wire } from "./send-wire.ts";

type Say = (line: string) => void;

const maxShownProblems = 10;
/** A broker takes about 1 MB at a time. */
const maxBatch = { records: 500, bytes: 512 * 1024 };
const progressEveryMs = 3_000;

/** Reads all events. Throws a sentence with the first mistakes and their places if one cannot be sent. */
export const checkAll = async (
  sources: readonly Source[],
  { say, ...rules }: Rules & { readonly say: Say },
): Promise<void> => {
  const problems: string[] = [];
  const tick = createProgress("Checked", say);
  let count = 0;
  for await (const item of eventsOf(sources)) {
    const problem = problemOf(item, rules);
    if (problem !== undefined) problems.push(`  ${item.place}: ${problem}`);
    if (problems.length === maxShownProblems) break;
    tick((count += 1));
  }
  if (problems.length > 0) throw new Error(["Cannot send these events, so nothing is sent:", ...problems].join("\n"));
};

export interface SendAllOptions {
  readonly wire: Wire;
  readonly sink: Pick<Sink, "send">;
  readonly encode: Encode;
  readonly say: Say;
}

export interface Sent {
  readonly count: number;
  /** Those that took something, as `0, 2`. */
  readonly partitions: string;
}

/** Sends all events in their order. If that fails, says how far it came. */
export const sendAll = async (sources: readonly Source[], { sink, say, ...writing }: SendAllOptions): Promise<Sent> => {
  const partitions = new Set<number>();
  const tick = createProgress("Sent", say);
  let count = 0;
  for await (const { records, from } of batchesOf(sources, writing)) {
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

type Writing = Pick<SendAllOptions, "wire" | "encode">;

async function* batchesOf(sources: readonly Source[], writing: Writing): AsyncGenerator<Batch> {
  let records: OutgoingRecord[] = [];
  let from = "";
  let bytes = 0;
  for await (const item of eventsOf(sources)) {
    if ("meaning" in item) throw new Error(`Cannot send ${item.place}: the file has changed, and holds no event there`);
    const record = recordOf(item, writing);
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

const recordOf = (item: EventItem, { wire, encode }: Writing): OutgoingRecord => ({
  key: userOf(item.event) ?? null,
  value: encode(writtenOf(item, wire)),
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
