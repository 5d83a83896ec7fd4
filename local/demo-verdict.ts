import type { DemoData, DemoRecord } from "./demo-cast.ts";

/** A record of the dead-letter topic or of a tier, as far as the verdict needs it. */
export interface ReadRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** What was found outside of the service. */
export interface Evidence {
  readonly cast: DemoData;
  /** Records in the source topic, and how many of them the group has committed. */
  readonly produced: number;
  readonly committed: number;
  /** Message ids in the order in which the target first took them. */
  readonly accepted: readonly string[];
  /** How often the target took an id again, and those ids as far as they are known. */
  readonly repeats: number;
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

/** Compares what had to become of every record with what was found. */
export function evaluate(evidence: Evidence): Verdict {
  const findings = findAll(evidence);
  return { rows: rowsOf(evidence, findings), broken: brokenOf(evidence, findings) };
}

type Findings = ReturnType<typeof findAll>;

function findAll({ cast, accepted, deadLetters, repeats, repeatedIds, inversions }: Evidence) {
  const taken = new Set(accepted);
  const dead = new Map(deadLetters.map((letter) => [letter.key, letter]));
  const of = (kind: DemoRecord["fate"]["kind"]) => cast.records.filter(({ fate }) => fate.kind === kind);
  const poison = of("dead");
  const lostEvents = of("deliver").filter(({ id }) => !taken.has(id));
  const invertedIds = findInverted(cast.records, accepted);
  return {
    delivered: of("deliver").filter(({ id }) => taken.has(id)),
    skipped: of("skip").filter(({ id }) => !taken.has(id)),
    uninvited: of("skip").filter(({ id }) => taken.has(id)),
    lost: [...lostEvents, ...poison.filter(({ id }) => !dead.has(id))],
    misjudged: poison.filter((record) => isMisjudged(record, dead.get(record.id))),
    strays: deadLetters.length - poison.filter(({ id }) => dead.has(id)).length,
    strayKeys: deadLetters.map(({ key }) => key).filter((key) => !poison.some(({ id }) => id === key)),
    repeats: Math.max(repeats, repeatedIds.length),
    inverted: Math.max(inversions, invertedIds.length),
    invertedIds,
  };
}

/** The wrong reason, or not the bytes that were produced. */
function isMisjudged({ fate, content }: DemoRecord, letter: ReadRecord | undefined): boolean {
  if (letter === undefined || fate.kind !== "dead" || !Buffer.isBuffer(content)) return false;
  return letter.headers[REASON] !== fate.reason || !content.equals(letter.value);
}

/** Ids that arrived after a later one of the same user; the records are in the order in which they were produced. */
function findInverted(records: readonly DemoRecord[], accepted: readonly string[]): readonly string[] {
  const places = new Map(records.map(({ id, key }, place) => [id, { key, place }]));
  const latest = new Map<string, number>();
  return accepted.filter((id) => {
    const { key = "", place = 0 } = places.get(id) ?? {};
    const newest = latest.get(key) ?? 0;
    latest.set(key, Math.max(newest, place));
    return place < newest;
  });
}

function brokenOf({ cast, produced, committed, repeatedIds }: Evidence, found: Findings): readonly string[] {
  const wanted = cast.records.length;
  const breaches: readonly (readonly [what: string, count: number, ids?: readonly string[]])[] = [
    ["Sent, but not in the source topic exactly once", Math.abs(wanted - produced)],
    ["Not committed", produced - committed],
    ["Lost", found.lost.length, idsOf(found.lost)],
    ["Delivered more than once", found.repeats, repeatedIds],
    ["Out of order", found.inverted, found.invertedIds],
    ["Delivered though to be skipped", found.uninvited.length, idsOf(found.uninvited)],
    ["Dead-lettered without need, or twice", found.strays, found.strayKeys],
    ["Dead-lettered with another reason or other bytes", found.misjudged.length, idsOf(found.misjudged)],
  ];
  return breaches.filter(([, times]) => times !== 0).map(([what, times, ids = []]) => `${what}: ${times}${show(ids)}`);
}

const idsOf = (records: readonly DemoRecord[]): readonly string[] => records.map(({ id }) => id);

function show(ids: readonly string[]): string {
  if (ids.length === 0) return "";
  return ` (${ids.slice(0, SHOWN_IDS).join(", ")}${ids.length > SHOWN_IDS ? ", …" : ""})`;
}

function rowsOf({ cast, produced, deadLetters, retried }: Evidence, found: Findings): readonly Row[] {
  const poison = cast.records.filter(({ fate }) => fate.kind === "dead").length;
  const skipReasons = found.skipped.map(({ fate }) => (fate.kind === "skip" ? fate.reason : ""));
  const waited = new Set(retried.map(({ headers }) => headers[ID])).size;
  return [
    {
      name: "produced",
      count: produced,
      note: `${formatCount(cast.records.length - poison)} events of ${formatCount(cast.users)} users, ${poison} poison records`,
      level: "total",
    },
    { name: "delivered", count: found.delivered.length, level: "total" },
    { name: "skipped", count: found.skipped.length, level: "total" },
    ...partsOf(skipReasons),
    { name: "dead-lettered", count: deadLetters.length, level: "total" },
    ...partsOf(deadLetters.map(reasonOf)),
    {
      name: "retried",
      count: waited,
      note: `waited in a retry tier, ${formatCount(retried.length)} stops in all`,
      level: "total",
    },
    ...partsOf(retried.map(reasonOf)),
    { name: "lost", count: found.lost.length, level: "promise" },
    { name: "duplicated", count: found.repeats, level: "promise" },
    { name: "out of order", count: found.inverted, level: "promise" },
  ];
}

const reasonOf = ({ headers }: ReadRecord): string => headers[REASON] ?? "without a reason";

function partsOf(reasons: readonly string[]): readonly Row[] {
  return [...new Set(reasons)]
    .sort()
    .map((name) => ({ name, count: reasons.filter((reason) => reason === name).length, level: "part" }));
}

/** A whole number for people: 10000 is "10,000". */
export const formatCount = (number: number): string => number.toLocaleString("en");
