import { createRecentlyCompleted } from "./recently-completed.ts";
import { type RetryPosition, type ScannedRecord, newestInSourceOrder } from "./scanned-records.ts";

/** What to do with a record when its turn comes. */
export type BacklogCheck =
  /** No earlier event of its user waits: it may be delivered. */
  | { readonly kind: "deliver" }
  /** Another copy of the event counts, or the event has reached its outcome already. */
  | { readonly kind: "superseded" }
  /** An earlier event of its user waits: the record goes to that retry topic. */
  | { readonly kind: "forward"; readonly tier: number };

/** Counts the records of several backlogs together. */
export interface BacklogTotals {
  records: number;
}

/** One waiting record. The records of a user are linked in source order. */
interface BacklogRecord {
  readonly user: string;
  position: RetryPosition;
  previous: BacklogRecord | undefined;
  next: BacklogRecord | undefined;
}

/** The waiting records of one user. */
interface KeyBacklog {
  last: BacklogRecord;
  length: number;
}

const deliver: BacklogCheck = { kind: "deliver" };
const superseded: BacklogCheck = { kind: "superseded" };

const isSamePosition = (a: RetryPosition, b: RetryPosition | undefined): boolean =>
  a.tier === b?.tier && a.offset === b.offset;

/** A record goes to the retry topic of the record before it. */
const checkBehind = (previous: BacklogRecord | undefined): BacklogCheck =>
  previous ? { kind: "forward", tier: previous.position.tier } : deliver;

/**
 * Which records of each user wait in the retry topics, in source order. A backlog covers one partition number of all topics.
 * Only the first record of a user may be delivered. A new event of the user follows the user's last record to its retry topic.
 */
export class RetryBacklog {
  readonly #records = new Map<string, BacklogRecord>();
  readonly #byUser = new Map<string, KeyBacklog>();
  readonly #recentlyCompleted = createRecentlyCompleted();
  /** Shared by the backlogs of all partition numbers of an assignment. */
  readonly #totals: BacklogTotals;

  constructor(scanned: readonly ScannedRecord[], totals: BacklogTotals = { records: 0 }) {
    this.#totals = totals;
    for (const { user, eventKey, position } of newestInSourceOrder(scanned)) this.upsert(user, eventKey, position);
  }

  /** The number of users whose records wait. */
  get userCount(): number {
    return this.#byUser.size;
  }

  /** The number of waiting records, of all users. */
  get recordCount(): number {
    return this.#records.size;
  }

  /** The number of waiting records of all partition numbers of the assignment. */
  get totalRecordCount(): number {
    return this.#totals.records;
  }

  /** The number of waiting records of one user. */
  lengthOf(user: string): number {
    return this.#byUser.get(user)?.length ?? 0;
  }

  /** Whether this event waits as one of this user. */
  has(user: string, eventKey: string): boolean {
    return this.#records.get(eventKey)?.user === user;
  }

  /** No record waits, and none has waited: any record may be delivered. */
  get isUntouched(): boolean {
    return this.#byUser.size === 0 && this.#recentlyCompleted.size === 0;
  }

  /** What to do with a record now. `position` is where it was read; undefined if it comes from a source topic. */
  check(user: string, eventKey: string, position: RetryPosition | undefined): BacklogCheck {
    const record = this.#records.get(eventKey);
    if (record ? !isSamePosition(record.position, position) : this.#recentlyCompleted.has(eventKey)) return superseded;
    return checkBehind(record?.user === user ? record.previous : this.#byUser.get(user)?.last);
  }

  /**
   * Adds a record that was read from a retry topic, as the last of its user, if the backlog does not know it: an operator or
   * a former owner of the partition wrote it, or its user was unknown until its schema came. Does nothing for a superseded copy.
   */
  adopt(user: string, eventKey: string, position: RetryPosition): void {
    if (this.check(user, eventKey, position).kind !== "superseded") this.upsert(user, eventKey, position);
  }

  /** A record was written to a retry topic. It keeps its place among the records of its user, or becomes the last. */
  upsert(user: string, eventKey: string, position: RetryPosition): void {
    const record = this.#records.get(eventKey);
    if (record?.user === user) {
      record.position = position;
      return;
    }
    this.#remove(eventKey);
    const previous = this.#byUser.get(user)?.last;
    // All records of a user share one string: each was read with a string of its own.
    this.#append(eventKey, { user: previous?.user ?? user, position, previous, next: undefined });
  }

  /** An event has left the retry topics: delivered, skipped or dead-lettered. */
  complete(user: string, eventKey: string): void {
    if (this.#records.size === 0 || (!this.#records.has(eventKey) && !this.#byUser.has(user))) return;
    this.#recentlyCompleted.add(eventKey);
    this.#remove(eventKey);
  }

  /** Kafka has deleted the records of a retry topic from offset `from` up to, but not including, `to`. */
  removeRange(tier: number, { from, to }: { from: number; to: number }): void {
    for (const [eventKey, { position }] of this.#records)
      if (position.tier === tier && position.offset >= from && position.offset < to) this.#remove(eventKey);
  }

  #append(eventKey: string, record: BacklogRecord): void {
    if (record.previous) record.previous.next = record;
    const ofUser = this.#byUser.get(record.user);
    if (ofUser) {
      ofUser.last = record;
      ofUser.length++;
    } else this.#byUser.set(record.user, { last: record, length: 1 });
    this.#records.set(eventKey, record);
    this.#totals.records++;
  }

  #remove(eventKey: string): void {
    const record = this.#records.get(eventKey);
    const ofUser = record && this.#byUser.get(record.user);
    if (!record || !ofUser) return;
    this.#records.delete(eventKey);
    this.#totals.records--;
    ofUser.length--;
    if (ofUser.length === 0) this.#byUser.delete(record.user);
    if (record.previous) record.previous.next = record.next;
    if (record.next) record.next.previous = record.previous;
    else if (record.previous) ofUser.last = record.previous;
  }
}
