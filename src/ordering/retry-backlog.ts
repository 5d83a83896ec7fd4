import { createLately } from "./recently-finished.ts";

/** Where a parked record waits: which tier, at which offset of its partition there. */
export interface Place {
  readonly tier: number;
  readonly offset: number;
}

/** A waiting record between the others of its user, in source order. */
interface Link {
  readonly user: string;
  place: Place;
  before: Link | undefined;
  after: Link | undefined;
}

/** A record met while rebuilding the chains of a partition from its tiers. */
export interface Found {
  readonly user: string;
  readonly id: string;
  readonly place: Place;
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
export type Turn =
  /** Nothing of its user waits before it: it may be delivered. */
  | { readonly kind: "deliver" }
  /** Another copy of it counts, or it has been finished already. */
  | { readonly kind: "superseded" }
  /** One before it still waits: it follows to that tier. */
  | { readonly kind: "forward"; readonly tier: number };

/** Records that wait in the tiers, over all partition numbers of a member. */
export interface Parked {
  records: number;
}

const byTopic = (found: readonly Found[]): Found[][] =>
  [...Map.groupBy(found, ({ topic, topicId = "" }) => `${topic} ${topicId}`).values()].map((records) =>
    records.sort((a, b) => a.offset - b.offset || (a.index ?? 0) - (b.index ?? 0)),
  );

interface Queue {
  readonly records: readonly Found[];
  next: number;
}

const headTime = ({ records, next }: Queue): number => records[next]?.timestamp ?? 0;

/** Source order: within a topic by offset; between topics, where no order is known, by the time of the records. */
const inSourceOrder = (found: readonly Found[]): readonly Found[] => {
  let queues: Queue[] = byTopic(found).map((records) => ({ records, next: 0 }));
  const ordered: Found[] = [];
  while (queues.length > 1) {
    const first = queues.reduce((a, b) => (headTime(a) <= headTime(b) ? a : b));
    ordered.push(...first.records.slice(first.next, first.next + 1));
    first.next += 1;
    if (first.next === first.records.length) queues = queues.filter((queue) => queue !== first);
  }
  return ordered.concat(queues.flatMap(({ records, next }) => records.slice(next)));
};

const youngestCopies = (found: readonly Found[]): Found[] => {
  const byId = new Map<string, Found>();
  for (const record of found) {
    const known = byId.get(record.id);
    if (!known || known.writtenAt <= record.writtenAt) byId.set(record.id, record);
  }
  return [...byId.values()];
};

/** The end of a user's chain. */
interface Tail {
  link: Link;
  /** Records in the chain. */
  length: number;
}

const isSame = (a: Place, b: Place | undefined): boolean => a.tier === b?.tier && a.offset === b.offset;

/** A record follows the one before it to its tier; the first has nobody to wait for. */
const behind = (before: Link | undefined): Turn =>
  before ? { kind: "forward", tier: before.place.tier } : { kind: "deliver" };

/**
 * The parked users of one partition number and their chains: per user the records that wait in the tiers, in source order.
 * Only the first of a chain may be delivered; a newcomer waits where the last one waits.
 */
export class Chains {
  readonly #links = new Map<string, Link>();
  readonly #tails = new Map<string, Tail>();
  readonly #lately = createLately();
  /** Shared by the chains of all partition numbers of an assignment. */
  readonly #parked: Parked;

  constructor(found: readonly Found[], parked: Parked = { records: 0 }) {
    this.#parked = parked;
    for (const records of Map.groupBy(youngestCopies(found), ({ user }) => user).values())
      for (const { user, id, place } of inSourceOrder(records)) this.moved(user, id, place);
  }

  /** Users with records in the tiers. */
  get users(): number {
    return this.#tails.size;
  }

  /** Records that wait in the tiers, of all users. */
  get records(): number {
    return this.#links.size;
  }

  /** The same, over all partition numbers of this member. */
  get recordsOfAll(): number {
    return this.#parked.records;
  }

  /** How many records of a user wait in the tiers. */
  lengthOf(user: string): number {
    return this.#tails.get(user)?.length ?? 0;
  }

  /** Whether this record is known to wait in a tier, as one of this user. */
  has(user: string, id: string): boolean {
    return this.#links.get(id)?.user === user;
  }

  /** Nobody waits, and nobody did: any record may be delivered. */
  get isEmpty(): boolean {
    return this.#tails.size === 0 && this.#lately.size === 0;
  }

  /** The turn of a record; `place` is where it was read, undefined for the source. */
  turnOf(user: string, id: string, place: Place | undefined): Turn {
    const link = this.#links.get(id);
    if (link ? !isSame(link.place, place) : this.#lately.has(id)) return { kind: "superseded" };
    if (link?.user === user) return behind(link.before);
    const turn = behind(this.#tails.get(user)?.link);
    // Nobody here wrote it (an operator did, or a former owner whose write came late), or its user could not be read
    // before its schema came. It becomes the last of its user.
    if (place) this.moved(user, id, place);
    return turn;
  }

  /** A record has been written to a tier. It keeps its place in the chain of its user, or becomes the last. */
  moved(user: string, id: string, place: Place): void {
    const link = this.#links.get(id);
    if (link?.user === user) {
      link.place = place;
      return;
    }
    this.#remove(id);
    const before = this.#tails.get(user)?.link;
    // One text for all records of a user, where each had read its own.
    this.#append(id, { user: before?.user ?? user, place, before, after: undefined });
  }

  /** A record has left the tiers: delivered, skipped or dead. The user is released with the last one. */
  finished(user: string, id: string): void {
    if (this.#links.size === 0 || (!this.#links.has(id) && !this.#tails.has(user))) return;
    this.#lately.add(id);
    this.#remove(id);
  }

  /** What waited in this tier from one offset up to another is gone from its log: nobody waits for it any longer. */
  gone(tier: number, { from, to }: { from: number; to: number }): void {
    for (const [id, { place }] of this.#links)
      if (place.tier === tier && place.offset >= from && place.offset < to) this.#remove(id);
  }

  #append(id: string, link: Link): void {
    if (link.before) link.before.after = link;
    const tail = this.#tails.get(link.user);
    if (tail) {
      tail.link = link;
      tail.length++;
    } else this.#tails.set(link.user, { link, length: 1 });
    this.#links.set(id, link);
    this.#parked.records++;
  }

  #remove(id: string): void {
    const link = this.#links.get(id);
    const tail = link && this.#tails.get(link.user);
    if (!link || !tail) return;
    this.#links.delete(id);
    this.#parked.records--;
    tail.length--;
    if (tail.length === 0) this.#tails.delete(link.user);
    if (link.before) link.before.after = link.after;
    if (link.after) link.after.before = link.before;
    else if (link.before) tail.link = link.before;
  }
}
