import type { DemoData } from "./demo-data.ts";
import { fetchJson } from "./demo-progress.ts";
import type { DemoTopics } from "./demo-topics.ts";
import type { Evidence } from "./demo-verdict.ts";

interface RecordedCall {
  readonly status: number | string;
  readonly messageId?: string;
}

/** Reads the stand-in's ledger and the Kafka topics, never the service. */
export async function collectEvidence(from: {
  data: DemoData;
  topics: DemoTopics;
  standin: string;
}): Promise<Evidence> {
  const { data, topics, standin } = from;
  const { source, retryTopics, deadLetter } = topics.names;
  const ledger = await fetchJson<{ duplicates: number; inversions: number }>(`${standin}/standin/ledger`);
  const accepted = await (await fetch(`${standin}/standin/ledger?ids=true`)).text();
  const calls = await fetchJson<readonly RecordedCall[]>(`${standin}/standin/requests?last=1000`);
  const produced = await topics.size([source]);
  const committed = await topics.committed();
  const read = await topics.read([deadLetter, ...retryTopics]);
  return {
    data,
    produced,
    committed,
    accepted: accepted.split("\n").filter((id) => id !== ""),
    repeats: ledger.duplicates,
    repeatedIds: repeatedIdsOf(calls),
    inversions: ledger.inversions,
    deadLetters: read.filter(({ topic }) => topic === deadLetter),
    retried: read.filter(({ topic }) => topic !== deadLetter),
  };
}

/** Ids that the target accepted more than once, among the newest calls: the stand-in keeps no older ones. */
function repeatedIdsOf(calls: readonly RecordedCall[]): readonly string[] {
  const seen = new Set<string>();
  return calls.flatMap(({ status, messageId }) => {
    if (status !== 200 || messageId === undefined) return [];
    if (seen.has(messageId)) return [messageId];
    seen.add(messageId);
    return [];
  });
}
