/** What must happen to an event, known when it is produced. */
export type ExpectedOutcome = "deliver" | "skip" | "dead";

export interface ProducedEvent {
  readonly id: string;
  readonly user: string;
  /** 1, 2, 3 and so on for each user. */
  readonly seq: number;
  readonly expected: ExpectedOutcome;
}

/** One acceptance of an event by the target. */
export interface Acceptance {
  /** The number of the process that sent it. */
  readonly launch: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** False if the sender cannot have read the response, because the process or the connection was gone. */
  isResponseRead: boolean;
}

/** An event that the target accepted again. `before` is the acceptance before. */
export interface Duplicate {
  readonly id: string;
  readonly before: Acceptance;
  readonly again: Acceptance;
}

export interface Inversion {
  readonly id: string;
  /** The `seq` of the later event of the same user that was accepted first. */
  readonly after: number;
  readonly accepted: Acceptance;
}

export interface LedgerEntry extends ProducedEvent {
  readonly producedAt: number;
  first?: Acceptance;
  last?: Acceptance;
}

/** What was produced and what the target accepted, recorded without the service. */
export interface Ledger {
  readonly produce: (event: ProducedEvent, at: number) => void;
  readonly accept: (id: string, acceptance: Acceptance) => void;
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly duplicates: readonly Duplicate[];
  readonly inversions: readonly Inversion[];
  /** Accepted ids that were never produced. */
  readonly unknownIds: readonly string[];
  /** When the target accepted each event for the first time, in order: milliseconds since 1970. */
  readonly firstAcceptedAt: readonly number[];
}

export const createLedger = (): Ledger => {
  const entries = new Map<string, LedgerEntry>();
  const newest = new Map<string, number>();
  const duplicates: Duplicate[] = [];
  const inversions: Inversion[] = [];
  const unknownIds: string[] = [];
  const firstAcceptedAt: number[] = [];

  const acceptFirst = (entry: LedgerEntry, acceptance: Acceptance): void => {
    const latest = newest.get(entry.user) ?? -1;
    if (entry.seq < latest) inversions.push({ id: entry.id, after: latest, accepted: acceptance });
    else newest.set(entry.user, entry.seq);
    entry.first = acceptance;
    firstAcceptedAt.push(acceptance.at);
  };

  return {
    produce: (event, at) => void entries.set(event.id, { ...event, producedAt: at }),
    accept: (id, acceptance) => {
      const entry = entries.get(id);
      if (!entry) return void unknownIds.push(id);
      if (entry.last) duplicates.push({ id, before: entry.last, again: acceptance });
      else acceptFirst(entry, acceptance);
      entry.last = acceptance;
    },
    entries,
    duplicates,
    inversions,
    unknownIds,
    firstAcceptedAt,
  };
};
