/** Where a parked record waits: which tier, at which offset of its partition there. */
export interface Place {
  readonly tier: number;
  readonly offset: number;
}

interface Link {
  place: Place;
  before: Link | undefined;
  after: Link | undefined;
}

/** The waiting records of one user, by id and linked in source order: each step takes the same time, however many wait. */
interface Chain {
  readonly links: Map<string, Link>;
  last: Link | undefined;
}

/** A record met while rebuilding the chains of a partition from its tiers. */
export interface Found {
  readonly user: string;
  readonly id: string;
  readonly place: Place;
  /** Of the record in its source topic. */
  readonly topic: string;
  readonly offset: number;
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

const maxRemembered = 10_000;

const byTopic = (found: readonly Found[]): Found[][] => {
  const topics = new Map<string, Found[]>();
  for (const record of found) topics.set(record.topic, [...(topics.get(record.topic) ?? []), record]);
  return [...topics.values()].map((records) => records.sort((a, b) => a.offset - b.offset));
};

/** Source order: within a topic by offset; between topics, where no order is known, by the time of the records. */
const inSourceOrder = (found: readonly Found[]): Found[] => {
  const queues = byTopic(found);
  const ordered: Found[] = [];
  while (ordered.length < found.length) {
    const heads = queues.filter((queue) => queue.length > 0);
    const first = heads.reduce((a, b) => ((a[0]?.timestamp ?? 0) <= (b[0]?.timestamp ?? 0) ? a : b));
    ordered.push(...first.splice(0, 1));
  }
  return ordered;
};

const youngestCopies = (found: readonly Found[]): Found[] => {
  const byId = new Map<string, Found>();
  for (const record of found) {
    const known = byId.get(record.id);
    if (!known || known.writtenAt <= record.writtenAt) byId.set(record.id, record);
  }
  return [...byId.values()];
};

const append = (chain: Chain, id: string, place: Place): void => {
  const link: Link = { place, before: chain.last, after: undefined };
  if (chain.last) chain.last.after = link;
  chain.last = link;
  chain.links.set(id, link);
};

const remove = (chain: Chain, id: string): void => {
  const link = chain.links.get(id);
  if (!link) return;
  chain.links.delete(id);
  if (link.before) link.before.after = link.after;
  if (link.after) link.after.before = link.before;
  else chain.last = link.before;
};

const chainOf = (records: readonly Found[]): Chain => {
  const chain: Chain = { links: new Map(), last: undefined };
  for (const { id, place } of inSourceOrder(records)) append(chain, id, place);
  return chain;
};

const rebuild = (found: readonly Found[]): Map<string, Chain> => {
  const byUser = new Map<string, Found[]>();
  for (const record of youngestCopies(found)) {
    const records = byUser.get(record.user);
    if (records) records.push(record);
    else byUser.set(record.user, [record]);
  }
  return new Map([...byUser].map(([user, records]) => [user, chainOf(records)]));
};

/** Ids finished lately: a copy of one, written twice by a repeated produce, must not be delivered again. */
const createMemory = () => {
  const ids = new Set<string>();
  return {
    get size() {
      return ids.size;
    },
    has: (id: string): boolean => ids.has(id),
    add: (id: string): void => {
      ids.add(id);
      if (ids.size <= maxRemembered) return;
      for (const oldest of ids) {
        ids.delete(oldest);
        return;
      }
    },
  };
};

const isSame = (a: Place, b: Place | undefined): boolean => a.tier === b?.tier && a.offset === b.offset;

/** A record follows the one before it to its tier; the first of a chain has nobody to wait for. */
const behind = (before: Link | undefined): Turn =>
  before ? { kind: "forward", tier: before.place.tier } : { kind: "deliver" };

/**
 * The parked users of one partition number and their chains: per user the records that wait in the tiers, in source order.
 * Only the first of a chain may be delivered; a newcomer waits where the last one waits.
 */
export class Chains {
  readonly #byUser: Map<string, Chain>;
  readonly #lately = createMemory();

  constructor(found: readonly Found[]) {
    this.#byUser = rebuild(found);
  }

  /** Users with records in the tiers. */
  get users(): number {
    return this.#byUser.size;
  }

  /** Nobody waits, and nobody did: any record may be delivered. */
  get isEmpty(): boolean {
    return this.#byUser.size === 0 && this.#lately.size === 0;
  }

  /** The turn of a record; `place` is where it was read, undefined for the source. */
  turnOf(user: string, id: string, place: Place | undefined): Turn {
    const chain = this.#byUser.get(user);
    const link = chain?.links.get(id);
    if (link) return isSame(link.place, place) ? behind(link.before) : { kind: "superseded" };
    if (this.#lately.has(id)) return { kind: "superseded" };
    const turn = behind(chain?.last);
    // Nobody here wrote it: an operator did, or a former owner whose write came late. It becomes the last of its user.
    if (place) this.moved(user, id, place);
    return turn;
  }

  /** A record has been written to a tier. It keeps its place in the chain, or becomes the last. */
  moved(user: string, id: string, place: Place): void {
    const chain = this.#byUser.get(user) ?? chainOf([]);
    const link = chain.links.get(id);
    if (link) link.place = place;
    else append(chain, id, place);
    this.#byUser.set(user, chain);
  }

  /** A record has left the tiers: delivered, skipped or dead. The user is released with the last one. */
  finished(user: string, id: string): void {
    const chain = this.#byUser.get(user);
    if (!chain) return;
    this.#lately.add(id);
    remove(chain, id);
    if (chain.links.size === 0) this.#byUser.delete(user);
  }
}
