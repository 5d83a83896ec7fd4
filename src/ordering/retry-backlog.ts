import { createRecentlyCompleted } from "./recently-finished.ts";

/** Where a parked record waits: which tier, at which offset of its partition there. */
export interface RetryPosition {
  readonly tier: number;
  readonly offset: number;
}

/** A waiting record between the others of its user, in source order. */
interface BacklogRecord {
  readonly user: string;
  position: RetryPosition;
  previous: BacklogRecord | undefined;
  next: BacklogRecord | undefined;
}

/** A record met while rebuilding the chains of a partition from its tiers. */
export interface ScannedRecord {
  readonly user: string;
  readonly eventKey: string;
  readonly position: RetryPosition;
  /** Of the record in its source topic; a topic that was made anew has the same name, another id, and begins with offset 0 again. */
  readonly topic: string;
  readonly topicId?: string | undefined;
  readonly offset: number;
  /** Which event of that record, where it holds a list. */
  readonly index?: number | undefined;
  readonly timestamp: number;
  /** When this copy was written to its tier: of two copies the younger one counts. */
  readonly writtenAt: number;
}

/** What to do with a record whose turn it is in its lane. */
export type BacklogCheck =
  /** Nothing of its user waits before it: it may be delivered. */
  | { readonly kind: "deliver" }
  /** Another copy of it counts, or it has been finished already. */
  | { readonly kind: "superseded" }
  /** One before it still waits: it follows to that tier. */
  | { readonly kind: "forward"; readonly tier: number };

/** Records that wait in the tiers, over all partition numbers of a member. */
export interface BacklogTotals {
  records: number;
}

const groupBySourceTopic = (found: readonly ScannedRecord[]): ScannedRecord[][] =>
  [...Map.groupBy(found, ({ topic, topicId = "" }) => `${topic} ${topicId}`).values()].map((records) =>
    records.sort((a, b) => a.offset - b.offset || (a.index ?? 0) - (b.index ?? 0)),
  );

interface MergeInput {
  readonly records: readonly ScannedRecord[];
  nextIndex: number;
}

const headTimestamp = ({ records, nextIndex: next }: MergeInput): number => records[next]?.timestamp ?? 0;

/** Source order: within a topic by offset; between topics, where no order is known, by the time of the records. */
const sortInSourceOrder = (found: readonly ScannedRecord[]): readonly ScannedRecord[] => {
  let inputs: MergeInput[] = groupBySourceTopic(found).map((records) => ({ records, nextIndex: 0 }));
  const ordered: ScannedRecord[] = [];
  while (inputs.length > 1) {
    const earliest = inputs.reduce((a, b) => (headTimestamp(a) <= headTimestamp(b) ? a : b));
    ordered.push(...earliest.records.slice(earliest.nextIndex, earliest.nextIndex + 1));
    earliest.nextIndex += 1;
    if (earliest.nextIndex === earliest.records.length) inputs = inputs.filter((input) => input !== earliest);
  }
  return ordered.concat(inputs.flatMap(({ records, nextIndex: next }) => records.slice(next)));
};

const newestCopies = (found: readonly ScannedRecord[]): ScannedRecord[] => {
  const byId = new Map<string, ScannedRecord>();
  for (const record of found) {
    const known = byId.get(record.eventKey);
    if (!known || known.writtenAt <= record.writtenAt) byId.set(record.eventKey, record);
  }
  return [...byId.values()];
};

/** The end of a user's chain. */
interface KeyBacklog {
  link: BacklogRecord;
  /** Records in the chain. */
  length: number;
}

const isSamePosition = (a: RetryPosition, b: RetryPosition | undefined): boolean =>
  a.tier === b?.tier && a.offset === b.offset;

/** A record follows the one before it to its tier; the first has nobody to wait for. */
const checkBehind = (previous: BacklogRecord | undefined): BacklogCheck =>
  previous ? { kind: "forward", tier: previous.position.tier } : { kind: "deliver" };

/**
 * The parked users of one partition number and their chains: per user the records that wait in the tiers, in source order.
 * Only the first of a chain may be delivered; a newcomer waits where the last one waits.
 */
export class RetryBacklog {
  readonly #records = new Map<string, BacklogRecord>();
  readonly #keyBacklogs = new Map<string, KeyBacklog>();
  readonly #recentlyCompleted = createRecentlyCompleted();
  /** Shared by the chains of all partition numbers of an assignment. */
  readonly #totals: BacklogTotals;

  constructor(found: readonly ScannedRecord[], totals: BacklogTotals = { records: 0 }) {
    this.#totals = totals;
    for (const records of Map.groupBy(newestCopies(found), ({ user }) => user).values())
      for (const { user, eventKey, position } of sortInSourceOrder(records)) this.upsert(user, eventKey, position);
  }

  /** Users with records in the tiers. */
  get userCount(): number {
    return this.#keyBacklogs.size;
  }

  /** Records that wait in the tiers, of all users. */
  get recordCount(): number {
    return this.#records.size;
  }

  /** The same, over all partition numbers of this member. */
  get totalRecordCount(): number {
    return this.#totals.records;
  }

  /** How many records of a user wait in the tiers. */
  lengthOf(user: string): number {
    return this.#keyBacklogs.get(user)?.length ?? 0;
  }

  /** Whether this record is known to wait in a tier, as one of this user. */
  has(user: string, eventKey: string): boolean {
    return this.#records.get(eventKey)?.user === user;
  }

  /** Nobody waits, and nobody did: any record may be delivered. */
  get isUntouched(): boolean {
    return this.#keyBacklogs.size === 0 && this.#recentlyCompleted.size === 0;
  }

  /** What a record has to do; `position` is where it was read, undefined for a source topic. */
  check(user: string, eventKey: string, position: RetryPosition | undefined): BacklogCheck {
    const record = this.#records.get(eventKey);
    if (record ? !isSamePosition(record.position, position) : this.#recentlyCompleted.has(eventKey))
      return { kind: "superseded" };
    return checkBehind(record?.user === user ? record.previous : this.#keyBacklogs.get(user)?.link);
  }

  checkAndAdopt(user: string, eventKey: string, position: RetryPosition | undefined): BacklogCheck {
    const check = this.check(user, eventKey, position);
    if (position && check.kind !== "superseded") this.adopt(user, eventKey, position);
    return check;
  }

  /** A record of a retry topic that is not known yet, or was known as one of another user, becomes the last of its user. */
  adopt(user: string, eventKey: string, position: RetryPosition): void {
    if (this.#records.get(eventKey)?.user !== user) this.upsert(user, eventKey, position);
  }

  /** A record has been written to a tier. It keeps its place in the chain of its user, or becomes the last. */
  upsert(user: string, eventKey: string, position: RetryPosition): void {
    const record = this.#records.get(eventKey);
    if (record?.user === user) {
      record.position = position;
      return;
    }
    this.#remove(eventKey);
    const previous = this.#keyBacklogs.get(user)?.link;
    // One text for all records of a user, where each had read its own.
    this.#append(eventKey, { user: previous?.user ?? user, position, previous, next: undefined });
  }

  /** A record has left the tiers: delivered, skipped or dead. The user is released with the last one. */
  complete(user: string, eventKey: string): void {
    if (this.#records.size === 0 || (!this.#records.has(eventKey) && !this.#keyBacklogs.has(user))) return;
    this.#recentlyCompleted.add(eventKey);
    this.#remove(eventKey);
  }

  /** What waited in this tier from one offset up to another is gone from its log: nobody waits for it any longer. */
  removeRange(tier: number, { from, to }: { from: number; to: number }): void {
    for (const [eventKey, { position }] of this.#records)
      if (position.tier === tier && position.offset >= from && position.offset < to) this.#remove(eventKey);
  }

  #append(eventKey: string, record: BacklogRecord): void {
    if (record.previous) record.previous.next = record;
    const keyBacklog = this.#keyBacklogs.get(record.user);
    if (keyBacklog) {
      keyBacklog.link = record;
      keyBacklog.length++;
    } else this.#keyBacklogs.set(record.user, { link: record, length: 1 });
    this.#records.set(eventKey, record);
    this.#totals.records++;
  }

  #remove(eventKey: string): void {
    const record = this.#records.get(eventKey);
    const keyBacklog = record && this.#keyBacklogs.get(record.user);
    if (!record || !keyBacklog) return;
    this.#records.delete(eventKey);
    this.#totals.records--;
    keyBacklog.length--;
    if (keyBacklog.length === 0) this.#keyBacklogs.delete(record.user);
    if (record.previous) record.previous.next = record.next;
    if (record.next) record.next.previous = record.previous;
    else if (record.previous) keyBacklog.link = record.previous;
  }
}
