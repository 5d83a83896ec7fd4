/** What has to become of an event, known when it is produced. */
export type ExpectedOutcome = "deliver" | "skip" | "dead";

export interface ProducedEvent {
  readonly id: string;
  readonly user: string;
  /** Grows by one with each event of the user. */
  readonly seq: number;
  readonly fate: ExpectedOutcome;
}

/** The target has taken an event. */
export interface Acceptance {
  /** Which process sent it. */
  readonly launch: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** False where the sender cannot have heard of it: it was gone, or the answer was lost. */
  isResponseRead: boolean;
}

/** An event that was taken again; `before` is the time before. */
export interface Duplicate {
  readonly id: string;
  readonly before: Acceptance;
  readonly again: Acceptance;
}

export interface Inversion {
  readonly id: string;
  /** The later event of the same user that had been taken first. */
  readonly after: number;
  readonly accepted: Acceptance;
}

export interface LedgerEntry extends ProducedEvent {
  readonly producedAt: number;
  first?: Acceptance;
  last?: Acceptance;
}

/** What was produced and what the target took, kept from outside of the service. */
export interface Ledger {
  readonly produce: (event: ProducedEvent, at: number) => void;
  readonly accept: (id: string, acceptance: Acceptance) => void;
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly duplicates: readonly Duplicate[];
  readonly inversions: readonly Inversion[];
  /** Ids that nobody produced. */
  readonly unknownIds: readonly string[];
  /** When events were taken for the first time, in order. */
  readonly firstTimes: readonly number[];
}

export const createLedger = (): Ledger => {
  const entries = new Map<string, LedgerEntry>();
  const newest = new Map<string, number>();
  const duplicates: Duplicate[] = [];
  const inversions: Inversion[] = [];
  const strangers: string[] = [];
  const firstTimes: number[] = [];

  const takeFirst = (entry: LedgerEntry, acceptance: Acceptance): void => {
    const latest = newest.get(entry.user) ?? -1;
    if (entry.seq < latest) inversions.push({ id: entry.id, after: latest, accepted: acceptance });
    else newest.set(entry.user, entry.seq);
    entry.first = acceptance;
    firstTimes.push(acceptance.at);
  };

  return {
    produce: (event, at) => void entries.set(event.id, { ...event, producedAt: at }),
    accept: (id, acceptance) => {
      const entry = entries.get(id);
      if (!entry) return void strangers.push(id);
      if (entry.last) duplicates.push({ id, before: entry.last, again: acceptance });
      else takeFirst(entry, acceptance);
      entry.last = acceptance;
    },
    entries,
    duplicates,
    inversions,
    unknownIds: strangers,
    firstTimes,
  };
};
