import type { Acceptance, Duplicate, Ledger } from "./ledger.ts";

/** A time in which a fault excuses that an event comes again: what was taken in it may not have been committed. */
export interface DuplicateExcuse {
  readonly cause: "crash" | "broker lost" | "right taken away";
  /** The process that was killed or frozen; undefined where any may repeat. */
  readonly launch?: number;
  readonly from: number;
  readonly to: number;
}

/** A record as it lies in a topic. */
export interface ReadRecord {
  readonly id: string;
  /** Why it is dead. */
  readonly reason: string;
  /** When the broker took it. */
  readonly at: number;
}

/** Why an event may come twice. */
type Cause = DuplicateExcuse["cause"] | "answer lost" | "produced twice";

/** How many may come twice for this cause, and how many did. */
export interface DuplicateAllowance {
  allowed: number;
  got: number;
}

export interface Findings {
  readonly produced: number;
  readonly delivered: number;
  readonly skipped: number;
  readonly dead: number;
  readonly lost: readonly string[];
  /** Delivered though a rule skips them or nobody produced them. */
  readonly unexpectedDeliveries: readonly string[];
  /** Dead letters that nothing explains, with their reason. */
  readonly wronglyDead: readonly string[];
  readonly deadTwice: readonly string[];
  readonly deliveredAndDead: readonly string[];
  readonly duplicates: Readonly<Record<Cause, DuplicateAllowance>>;
  readonly unexplained: readonly Duplicate[];
}

const covers = (
  { launch, from, to }: DuplicateExcuse,
  { launch: by, at }: Pick<Acceptance, "launch" | "at">,
): boolean => (launch === undefined || launch === by) && from <= at && at <= to;

const acceptancesOf = ({ entries, duplicates }: Ledger): [id: string, Acceptance][] => [
  ...[...entries.values()].flatMap(({ id, first }): [string, Acceptance][] => (first ? [[id, first]] : [])),
  ...duplicates.map(({ id, again }): [string, Acceptance] => [id, again]),
];

/** The first cause counts: a killed sender also cannot have heard the answer. */
const causeOf = (id: string, acceptance: Acceptance, { excuses, repeated }: Evidence): Cause | undefined => {
  if (excuses.some((excuse) => excuse.cause === "crash" && covers(excuse, acceptance))) return "crash";
  if (!acceptance.isResponseRead) return "answer lost";
  if (repeated.has(id)) return "produced twice";
  return excuses.find((excuse) => covers(excuse, acceptance))?.cause;
};

const judgeDuplicates = (evidence: Evidence): Pick<Findings, "duplicates" | "unexplained"> => {
  const count = (): DuplicateAllowance => ({ allowed: 0, got: 0 });
  const duplicates = {
    crash: count(),
    "broker lost": count(),
    "right taken away": count(),
    "answer lost": count(),
    "produced twice": count(),
  };
  const unexplained: Duplicate[] = [];
  for (const [id, acceptance] of acceptancesOf(evidence.ledger)) {
    const cause = causeOf(id, acceptance, evidence);
    if (cause) duplicates[cause].allowed++;
  }
  for (const duplicate of evidence.ledger.duplicates) {
    const { id, before, again } = duplicate;
    // A call that outlived its time-out may be taken after the one that followed it.
    const cause = causeOf(id, before, evidence) ?? (again.isResponseRead ? undefined : "answer lost");
    if (cause) duplicates[cause].got++;
    else unexplained.push(duplicate);
  }
  return { duplicates, unexplained };
};

export interface Evidence {
  readonly ledger: Ledger;
  readonly deadLetters: readonly ReadRecord[];
  readonly excuses: readonly DuplicateExcuse[];
  /** Ids that lie in the source topic more than once: the drill's producer could not know better. */
  readonly repeated: ReadonlySet<string>;
  /** Whether the user's events failed for a while, so that their retries may be exhausted. */
  readonly wasUnlucky: (user: string) => boolean;
}

/** A second copy is excused where a write may have been repeated. */
const isExcused = ({ at }: ReadRecord, excuses: readonly DuplicateExcuse[]): boolean =>
  excuses.some(({ from, to }) => from <= at && at <= to);

const judgeDead = ({ ledger, deadLetters, excuses, repeated, wasUnlucky }: Evidence) => {
  const seen = new Map<string, ReadRecord>();
  const deadTwice: string[] = [];
  const wronglyDead: string[] = [];
  const mayDie = ({ id, reason }: ReadRecord): boolean => {
    const { fate, user = "" } = ledger.entries.get(id) ?? {};
    if (fate === "deliver") return reason === "retries_exhausted" && wasUnlucky(user);
    return fate === "dead";
  };
  for (const letter of deadLetters) {
    const { id, reason } = letter;
    const before = seen.get(id);
    seen.set(id, letter);
    if (before && !repeated.has(id) && !isExcused(before, excuses)) deadTwice.push(id);
    if (!mayDie(letter)) wronglyDead.push(`${id}: ${reason}`);
  }
  return { dead: seen, deadTwice, wronglyDead };
};

/** Judges from outside: what was produced against what the target took and what lies in the dead-letter topic. */
export const evaluate = (evidence: Evidence): Findings => {
  const { ledger } = evidence;
  const { dead, deadTwice, wronglyDead } = judgeDead(evidence);
  const all = [...ledger.entries.values()];
  const isSafe = (id: string): boolean => ledger.entries.get(id)?.first !== undefined || dead.has(id);
  const delivered = all.filter(({ first }) => first !== undefined);
  const undue = delivered.filter(({ fate }) => fate !== "deliver").map(({ id }) => id);
  return {
    produced: all.length,
    delivered: delivered.length,
    skipped: all.filter(({ fate, first }) => fate === "skip" && !first).length,
    dead: dead.size,
    lost: all.filter(({ fate, id }) => fate !== "skip" && !isSafe(id)).map(({ id }) => id),
    unexpectedDeliveries: [...undue, ...ledger.unknownIds],
    wronglyDead,
    deadTwice,
    deliveredAndDead: delivered.filter(({ id }) => dead.has(id)).map(({ id }) => id),
    ...judgeDuplicates(evidence),
  };
};
