import type { DemoData } from "./demo-cast.ts";
import type { DemoTopics } from "./demo-stage.ts";
import type { Evidence } from "./demo-verdict.ts";
import { fetchJson } from "./demo-watch.ts";

interface RecordedCall {
  readonly status: number | string;
  readonly messageId?: string;
}

/** Reads the stand-in's ledger and the topics. The service is not asked. */
export async function collectEvidence(from: { cast: DemoData; stage: DemoTopics; standin: string }): Promise<Evidence> {
  const { cast, stage, standin } = from;
  const { source, tiers, deadLetter } = stage.names;
  const ledger = await fetchJson<{ duplicates: number; inversions: number }>(`${standin}/standin/ledger`);
  const accepted = await (await fetch(`${standin}/standin/ledger?ids=true`)).text();
  const calls = await fetchJson<readonly RecordedCall[]>(`${standin}/standin/requests?last=1000`);
  const produced = await stage.size([source]);
  const committed = await stage.committed();
  const read = await stage.read([deadLetter, ...tiers]);
  return {
    cast,
    produced,
    committed,
    accepted: accepted.split("\n").filter((id) => id !== ""),
    repeats: ledger.duplicates,
    repeatedIds: repeatsOf(calls),
    inversions: ledger.inversions,
    deadLetters: read.filter(({ topic }) => topic === deadLetter),
    retried: read.filter(({ topic }) => topic !== deadLetter),
  };
}

/** The stand-in counts every repeat, but remembers only its newest calls one by one. */
function repeatsOf(calls: readonly RecordedCall[]): readonly string[] {
  const seen = new Set<string>();
  return calls.flatMap(({ status, messageId }) => {
    if (status !== 200 || messageId === undefined) return [];
    if (seen.has(messageId)) return [messageId];
    seen.add(messageId);
    return [];
  });
}
