import Denque from "denque";

/**
 * The queue of one key: the items of one user in one partition, in order. Its head is in work or ready to start; the other
 * items wait for the head.
 */
export interface KeyQueue<T> {
  readonly key: string;
  readonly head: T;
  /** Too many items wait behind the head: it has to go to the retry topic as soon as it can. */
  mustSpill: boolean;
}

interface MutableKeyQueue<T> extends KeyQueue<T> {
  head: T;
  /** The head is in work. */
  isBusy: boolean;
  /** The items behind the head. Most users have one event at a time, so it is created with the second item. */
  waiting: Denque<T> | undefined;
}

/** All per-key queues of one assignment. Different keys run at the same time; of one key, only one item runs at a time. */
export class KeyQueues<T> {
  readonly #byKey = new Map<string, MutableKeyQueue<T>>();
  /** Queues whose head may start, in the order in which they start. */
  readonly #ready = new Denque<MutableKeyQueue<T>>();

  /** The number of queues whose head may start. */
  get readyCount(): number {
    return this.#ready.length;
  }

  /** Adds an item at the end of its key's queue. */
  enqueue(key: string, item: T): void {
    const queue = this.#byKey.get(key);
    if (queue) {
      queue.waiting ??= new Denque<T>();
      queue.waiting.push(item);
      return;
    }
    const created: MutableKeyQueue<T> = { key, head: item, mustSpill: false, isBusy: false, waiting: undefined };
    this.#byKey.set(key, created);
    this.#ready.push(created);
  }

  /** Takes the first ready queue. It is busy until `completeHead` or `requeue`. */
  takeNext(): KeyQueue<T> | undefined {
    const queue = this.#ready.shift();
    if (queue) queue.isBusy = true;
    return queue;
  }

  /** Takes the first ready queue whose head matches. The others keep their order. */
  takeNextWhere(matches: (item: T) => boolean): KeyQueue<T> | undefined {
    const skipped: MutableKeyQueue<T>[] = [];
    let queue = this.#ready.shift();
    for (; queue && !matches(queue.head); queue = this.#ready.shift()) skipped.push(queue);
    for (const other of skipped.toReversed()) this.#ready.unshift(other);
    if (queue) queue.isBusy = true;
    return queue;
  }

  /** Removes the first `count` items of a busy queue. Its next item may start. */
  completeHead(busyQueue: KeyQueue<T>, count = 1): void {
    const queue = busyQueue as MutableKeyQueue<T>;
    for (let removed = 1; removed < count; removed++) queue.waiting?.shift();
    queue.isBusy = false;
    if (!queue.waiting?.length) return this.#remove(queue);
    queue.head = queue.waiting.shift() as T;
    this.#ready.push(queue);
  }

  /** Clears the queue too: a former table of the map can still name it, and would keep its last item in memory. */
  #remove(queue: MutableKeyQueue<T>): void {
    this.#byKey.delete(queue.key);
    queue.head = undefined as T;
    queue.waiting = undefined;
  }

  /** Makes a busy queue ready again without completing its head: at the front or at the back of the ready queues. */
  requeue(busyQueue: KeyQueue<T>, end: "front" | "back"): void {
    const queue = busyQueue as MutableKeyQueue<T>;
    queue.isBusy = false;
    if (end === "front") this.#ready.unshift(queue);
    else this.#ready.push(queue);
  }

  /** The number of items of a key, the head included. */
  lengthOf(key: string): number {
    const queue = this.#byKey.get(key);
    return queue ? lengthOf(queue) : 0;
  }

  /** Whether the head of this key is in work. */
  isBusy(key: string): boolean {
    return this.#byKey.get(key)?.isBusy ?? false;
  }

  /** The head and the items behind it, up to the first for which `isPart` does not hold; at most `max` items. */
  peekRun(busyQueue: KeyQueue<T>, max: number, isPart: (item: T) => boolean): T[] {
    const queue = busyQueue as MutableKeyQueue<T>;
    const run = [queue.head];
    for (let index = 1; index < Math.min(max, lengthOf(queue)); index++) {
      const item = itemAt(queue, index);
      if (!isPart(item)) break;
      run.push(item);
    }
    return run;
  }

  /** The queues whose items weigh more than `max` together. */
  queuesHeavierThan(max: number, weigh: (item: T) => number): KeyQueue<T>[] {
    return [...this.#byKey.values()].filter((queue) => {
      let weight = 0;
      for (let index = 0; index < lengthOf(queue); index++) weight += weigh(itemAt(queue, index));
      return weight > max;
    });
  }

  /** The first item that matches, in any queue. */
  findItem(matches: (item: T) => boolean): T | undefined {
    for (const queue of this.#byKey.values())
      for (let index = 0; index < lengthOf(queue); index++) {
        const item = itemAt(queue, index);
        if (matches(item)) return item;
      }
    return undefined;
  }
}

const lengthOf = <T>({ waiting }: MutableKeyQueue<T>): number => 1 + (waiting?.length ?? 0);

/** The item at an index below the queue's length; 0 is the head. */
const itemAt = <T>({ head, waiting }: MutableKeyQueue<T>, index: number): T =>
  index === 0 ? head : (waiting?.peekAt(index - 1) as T);
