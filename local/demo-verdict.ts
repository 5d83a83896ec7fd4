import type { DemoData, DemoRecord } from "./demo-data.ts";

/** A record of the dead-letter topic or of a retry topic, as far as the verdict needs it. */
export interface ReadRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the stand-in and the Kafka topics show, without the service. */
export interface Evidence {
  readonly data: DemoData;
  /** The number of records in the source topic. */
  readonly produced: number;
  /** How many of them the group has committed. */
  readonly committed: number;
  /** Message ids in the order in which the target first accepted them. */
  readonly accepted: readonly string[];
  /** How often the target accepted an id again. */
  readonly repeats: number;
  /** Those ids, as far as the stand-in still remembers them. */
  readonly repeatedIds: readonly string[];
  readonly inversions: number;
  readonly deadLetters: readonly ReadRecord[];
  readonly retried: readonly ReadRecord[];
}

export interface Row {
  readonly name: string;
  readonly count: number;
  readonly note?: string;
  readonly level: "total" | "part" | "promise";
}

export interface Verdict {
  readonly rows: readonly Row[];
  /** One sentence for each promise that was not kept. */
  readonly broken: readonly string[];
}

const SHOWN_IDS = 5;
const REASON = "gainstream-reason";
const ID = "gainstream-id";

/** Compares the expected outcome of every record with the evidence. */
export function evaluate(evidence: Evidence): Verdict {
  const findings = findingsOf(evidence);
  return { rows: rowsOf(evidence, findings), broken: brokenOf(evidence, findings) };
}

type Findings = ReturnType<typeof findingsOf>;

function findingsOf({ data, accepted, deadLetters, repeats, repeatedIds, inversions }: Evidence) {
  const acceptedIds = new Set(accepted);
  const dead = new Map(deadLetters.map((deadLetter) => [deadLetter.key, deadLetter]));
  const of = (kind: DemoRecord["expected"]["kind"]) => data.records.filter(({ expected }) => expected.kind === kind);
  const poison = of("dead");
  const lostEvents = of("deliver").filter(({ id }) => !acceptedIds.has(id));
  const invertedIds = invertedIdsOf(data.records, accepted);
  return {
    delivered: of("deliver").filter(({ id }) => acceptedIds.has(id)),
    skipped: of("skip").filter(({ id }) => !acceptedIds.has(id)),
    deliveredSkips: of("skip").filter(({ id }) => acceptedIds.has(id)),
    lost: [...lostEvents, ...poison.filter(({ id }) => !dead.has(id))],
    wrongDeadLetters: poison.filter((record) => isWrongDeadLetter(record, dead.get(record.id))),
    unexpectedDeadLetters: deadLetters.length - poison.filter(({ id }) => dead.has(id)).length,
    unexpectedKeys: deadLetters.map(({ key }) => key).filter((key) => !poison.some(({ id }) => id === key)),
    repeats: Math.max(repeats, repeatedIds.length),
    inverted: Math.max(inversions, invertedIds.length),
    invertedIds,
  };
}

/** Whether the dead letter has the wrong reason or other bytes than those that were produced. */
function isWrongDeadLetter({ expected, content }: DemoRecord, deadLetter: ReadRecord | undefined): boolean {
  if (deadLetter === undefined || expected.kind !== "dead" || !Buffer.isBuffer(content)) return false;
  return deadLetter.headers[REASON] !== expected.reason || !content.equals(deadLetter.value);
}

/** Ids that the target accepted after a later event of the same user. `records` are in the order of production. */
function invertedIdsOf(records: readonly DemoRecord[], accepted: readonly string[]): readonly string[] {
  const positions = new Map(records.map(({ id, key }, position) => [id, { key, position }]));
  const latest = new Map<string, number>();
  return accepted.filter((id) => {
    const { key = "", position = 0 } = positions.get(id) ?? {};
    const newest = latest.get(key) ?? 0;
    latest.set(key, Math.max(newest, position));
    return position < newest;
  });
}

function brokenOf({ data, produced, committed, repeatedIds }: Evidence, findings: Findings): readonly string[] {
  const wanted = data.records.length;
  const checks: readonly (readonly [problem: string, count: number, ids?: readonly string[]])[] = [
    ["Produced, but not exactly once in the source topic", Math.abs(wanted - produced)],
    ["Not committed", produced - committed],
    ["Lost", findings.lost.length, idsOf(findings.lost)],
    ["Delivered more than once", findings.repeats, repeatedIds],
    ["Out of order", findings.inverted, findings.invertedIds],
    ["Delivered, but a rule skips it", findings.deliveredSkips.length, idsOf(findings.deliveredSkips)],
    ["Dead-lettered without a reason, or twice", findings.unexpectedDeadLetters, findings.unexpectedKeys],
    [
      "Dead-lettered with the wrong reason or changed bytes",
      findings.wrongDeadLetters.length,
      idsOf(findings.wrongDeadLetters),
    ],
  ];
  return checks
    .filter(([, count]) => count !== 0)
    .map(([problem, count, ids = []]) => `${problem}: ${count}${idsText(ids)}`);
}

const idsOf = (records: readonly DemoRecord[]): readonly string[] => records.map(({ id }) => id);

function idsText(ids: readonly string[]): string {
  if (ids.length === 0) return "";
  return ` (${ids.slice(0, SHOWN_IDS).join(", ")}${ids.length > SHOWN_IDS ? ", …" : ""})`;
}

function rowsOf({ data, produced, deadLetters, retried }: Evidence, findings: Findings): readonly Row[] {
  const poison = data.records.filter(({ expected }) => expected.kind === "dead").length;
  const skipReasons = findings.skipped.map(({ expected }) => (expected.kind === "skip" ? expected.reason : ""));
  const retriedEvents = new Set(retried.map(({ headers }) => headers[ID])).size;
  return [
    {
      name: "produced",
      count: produced,
      note: `${formatCount(data.records.length - poison)} events of ${formatCount(data.users)} users, ${poison} poison records`,
      level: "total",
    },
    { name: "delivered", count: findings.delivered.length, level: "total" },
    { name: "skipped", count: findings.skipped.length, level: "total" },
    ...partsOf(skipReasons),
    { name: "dead-lettered", count: deadLetters.length, level: "total" },
    ...partsOf(deadLetters.map(reasonOf)),
    {
      name: "retried",
      count: retriedEvents,
      note: `waited in a retry topic; ${formatCount(retried.length)} retry records in all`,
      level: "total",
    },
    ...partsOf(retried.map(reasonOf)),
    { name: "lost", count: findings.lost.length, level: "promise" },
    { name: "duplicated", count: findings.repeats, level: "promise" },
    { name: "out of order", count: findings.inverted, level: "promise" },
  ];
}

const reasonOf = ({ headers }: ReadRecord): string => headers[REASON] ?? "without a reason";

function partsOf(reasons: readonly string[]): readonly Row[] {
  return [...new Set(reasons)]
    .sort()
    .map((name) => ({ name, count: reasons.filter((reason) => reason === name).length, level: "part" }));
}

/** A whole number with separators: 10000 is "10,000". */
export const formatCount = (number: number): string => number.toLocaleString("en");
