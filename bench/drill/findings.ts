import type { Acceptance, Duplicate, Ledger } from "./ledger.ts";

/** A time in which a fault excuses duplicates: what the target accepted then may not have been committed. */
export interface DuplicateExcuse {
  readonly cause: "crash" | "broker lost" | "right taken away";
  /** The process that was killed or frozen; undefined if every process is excused. */
  readonly launch?: number;
  readonly from: number;
  readonly to: number;
}

/** A record that was read from a topic. */
export interface ReadRecord {
  readonly id: string;
  /** The dead-letter reason. */
  readonly reason: string;
  /** When the broker received it, in milliseconds since 1970. */
  readonly at: number;
}

/** Why an event may be delivered twice. */
type Cause = DuplicateExcuse["cause"] | "answer lost" | "produced twice";

/** How many duplicates a cause allows, and how many there were. */
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
  /** Delivered although a rule skips them, Gainsight must not get them, or they were never produced. */
  readonly unexpectedDeliveries: readonly string[];
  /** Dead letters that nothing explains, with their reason. */
  readonly wronglyDead: readonly string[];
  readonly deadTwice: readonly string[];
  readonly deliveredAndDead: readonly string[];
  readonly duplicates: Readonly<Record<Cause, DuplicateAllowance>>;
  readonly unexplained: readonly Duplicate[];
}

const covers = ({ launch, from, to }: DuplicateExcuse, acceptance: Pick<Acceptance, "launch" | "at">): boolean =>
  (launch === undefined || launch === acceptance.launch) && from <= acceptance.at && acceptance.at <= to;

const acceptancesOf = ({ entries, duplicates }: Ledger): [id: string, Acceptance][] => [
  ...[...entries.values()].flatMap(({ id, first }): [string, Acceptance][] => (first ? [[id, first]] : [])),
  ...duplicates.map(({ id, again }): [string, Acceptance] => [id, again]),
];

/** The first match counts: a killed process cannot have read the response either. */
const causeOf = (id: string, acceptance: Acceptance, { excuses, repeated }: Evidence): Cause | undefined => {
  if (excuses.some((excuse) => excuse.cause === "crash" && covers(excuse, acceptance))) return "crash";
  if (!acceptance.isResponseRead) return "answer lost";
  if (repeated.has(id)) return "produced twice";
  return excuses.find((excuse) => covers(excuse, acceptance))?.cause;
};

const evaluateDuplicates = (evidence: Evidence): Pick<Findings, "duplicates" | "unexplained"> => {
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
    // The target may accept a call that has timed out after the call that followed it.
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
  /** Ids that are in the source topic more than once, because the drill's producer had to repeat them. */
  readonly repeated: ReadonlySet<string>;
  /** Whether the user's calls failed for a while, so that retries may be exhausted. */
  readonly wasUnlucky: (user: string) => boolean;
}

/** A second dead letter is excused if the service may have had to write it again. */
const isExcused = ({ at }: ReadRecord, excuses: readonly DuplicateExcuse[]): boolean =>
  excuses.some(({ from, to }) => from <= at && at <= to);

const evaluateDeadLetters = ({ ledger, deadLetters, excuses, repeated, wasUnlucky }: Evidence) => {
  const seen = new Map<string, ReadRecord>();
  const deadTwice: string[] = [];
  const wronglyDead: string[] = [];
  const mayDie = ({ id, reason }: ReadRecord): boolean => {
    const { expected, user = "" } = ledger.entries.get(id) ?? {};
    if (expected === "deliver") return reason === "retries_exhausted" && wasUnlucky(user);
    return expected === "dead";
  };
  for (const deadLetter of deadLetters) {
    const { id, reason } = deadLetter;
    const before = seen.get(id);
    seen.set(id, deadLetter);
    if (before && !repeated.has(id) && !isExcused(before, excuses)) deadTwice.push(id);
    if (!mayDie(deadLetter)) wronglyDead.push(`${id}: ${reason}`);
  }
  return { dead: seen, deadTwice, wronglyDead };
};

/** Compares what was produced with what the target accepted and what is in the dead-letter topic. Never asks the service. */
export const evaluate = (evidence: Evidence): Findings => {
  const { ledger } = evidence;
  const { dead, deadTwice, wronglyDead } = evaluateDeadLetters(evidence);
  const all = [...ledger.entries.values()];
  const isSafe = (id: string): boolean => ledger.entries.get(id)?.first !== undefined || dead.has(id);
  const delivered = all.filter(({ first }) => first !== undefined);
  const unexpected = delivered.filter(({ expected }) => expected !== "deliver").map(({ id }) => id);
  return {
    produced: all.length,
    delivered: delivered.length,
    skipped: all.filter(({ expected, first }) => expected === "skip" && !first).length,
    dead: dead.size,
    lost: all.filter(({ expected, id }) => expected !== "skip" && !isSafe(id)).map(({ id }) => id),
    unexpectedDeliveries: [...unexpected, ...ledger.unknownIds],
    wronglyDead,
    deadTwice,
    deliveredAndDead: delivered.filter(({ id }) => dead.has(id)).map(({ id }) => id),
    ...evaluateDuplicates(evidence),
  };
};
