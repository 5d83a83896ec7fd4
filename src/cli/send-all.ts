import { userOf } from "../core/rules/validate.ts";
import { toError } from "../core/to-error.ts";
import type { Encode } from "../decoding/encoder.ts";
import { type EventItem, type SendRules, eventsOf, problemOf, payloadOf } from "./send-events.ts";
import type { Source } from "./send-input.ts";
import type { OutgoingRecord, Sink } from "./send-kafka.ts";
import type { WireFormat } from "./send-wire.ts";

type PrintLine = (line: string) => void;

const maxShownProblems = 10;
/** By default a broker takes batches of about 1 MB: https://kafka.apache.org/documentation/#brokerconfigs_message.max.bytes */
const maxBatch = { records: 500, bytes: 512 * 1024 };
const progressEveryMs = 3_000;

/** Reads all events. If some cannot be sent, rejects with an error for people that lists the first of them. */
export const checkAll = async (
  sources: readonly Source[],
  { print, ...rules }: SendRules & { readonly print: PrintLine },
): Promise<void> => {
  const problems: string[] = [];
  const tick = createProgress("Checked", print);
  let count = 0;
  for await (const item of eventsOf(sources)) {
    const problem = problemOf(item, rules);
    if (problem !== undefined) problems.push(`  ${item.location}: ${problem}`);
    if (problems.length === maxShownProblems) break;
    tick((count += 1));
  }
  if (problems.length > 0) throw new Error(["Cannot send these events; nothing is sent:", ...problems].join("\n"));
};

export interface SendAllOptions {
  readonly wireFormat: WireFormat;
  readonly sink: Pick<Sink, "send">;
  readonly encode: Encode;
  readonly print: PrintLine;
}

export interface SendResult {
  readonly count: number;
  /** The partitions that took records, such as `0, 2`. */
  readonly partitions: string;
}

/** Sends all events in their order. If that fails, the error says which events were sent. */
export const sendAll = async (
  sources: readonly Source[],
  { sink, print, ...encodeOptions }: SendAllOptions,
): Promise<SendResult> => {
  const partitions = new Set<number>();
  const tick = createProgress("Sent", print);
  let count = 0;
  for await (const { records, firstLocation } of batchesOf(sources, encodeOptions)) {
    const partitionsTaken = await sink.send(records).catch((error: unknown) => {
      const { message } = toError(error);
      throw new Error(`${message}; the ${count} events before ${firstLocation} were sent`, { cause: error });
    });
    for (const partition of partitionsTaken) partitions.add(partition);
    tick((count += records.length));
  }
  return { count, partitions: [...partitions].sort((a, b) => a - b).join(", ") };
};

interface Batch {
  readonly records: readonly OutgoingRecord[];
  /** The location of its first event. */
  readonly firstLocation: string;
}

type EncodeOptions = Pick<SendAllOptions, "wireFormat" | "encode">;

async function* batchesOf(sources: readonly Source[], encodeOptions: EncodeOptions): AsyncGenerator<Batch> {
  let records: OutgoingRecord[] = [];
  let firstLocation = "";
  let bytes = 0;
  for await (const item of eventsOf(sources)) {
    if ("decision" in item)
      throw new Error(`Cannot send ${item.location}: the file has changed and has no event there`);
    const record = outgoingRecordOf(item, encodeOptions);
    if (records.length === maxBatch.records || bytes + record.value.length > maxBatch.bytes) {
      if (records.length > 0) yield { records, firstLocation };
      records = [];
      bytes = 0;
    }
    if (records.length === 0) firstLocation = item.location;
    records.push(record);
    bytes += record.value.length;
  }
  if (records.length > 0) yield { records, firstLocation };
}

const outgoingRecordOf = (item: EventItem, { wireFormat, encode }: EncodeOptions): OutgoingRecord => ({
  key: userOf(item.event) ?? null,
  value: encode(payloadOf(item, wireFormat)),
});

/** Prints the count every few seconds. */
const createProgress = (doneText: string, print: PrintLine): ((count: number) => void) => {
  let printedAt = performance.now();
  return (count) => {
    if (performance.now() - printedAt < progressEveryMs) return;
    printedAt = performance.now();
    print(`${doneText} ${count} events`);
  };
};
