import { Fifo } from "./fifo.ts";

/** The events of one user in one partition, in order. The head is in work or waits for its turn; the rest wait for it. */
export interface KeyQueue<T> {
  readonly key: string;
  readonly head: T;
  /** Too much waits behind its head: it has to make way as soon as it can. */
  mustSpill: boolean;
}

interface MutableKeyQueue<T> extends KeyQueue<T> {
  head: T;
  /** Its head is in work. */
  isBusy: boolean;
  /** Most users have one event at a time: the queue comes only with the second. */
  waiting: Fifo<T> | undefined;
}

/** All lanes of one assignment. Different lanes run at the same time; one lane never runs twice at a time. */
export class KeyQueues<T> {
  readonly #byKey = new Map<string, MutableKeyQueue<T>>();
  readonly #ready: Fifo<MutableKeyQueue<T>> = new Fifo();

  /** Lanes whose head may start. */
  get readyCount(): number {
    return this.#ready.length;
  }

  /** Puts an item at the end of its user's lane. */
  enqueue(key: string, item: T): void {
    const queue = this.#byKey.get(key);
    if (queue) {
      queue.waiting ??= new Fifo<T>();
      queue.waiting.push(item);
      return;
    }
    const created: MutableKeyQueue<T> = { key, head: item, mustSpill: false, isBusy: false, waiting: undefined };
    this.#byKey.set(key, created);
    this.#ready.push(created);
  }

  /** Takes the next lane whose head may start, oldest first; it stays taken until `done` or `putBack`. */
  takeNext(): KeyQueue<T> | undefined {
    const queue = this.#ready.shift();
    if (queue) queue.isBusy = true;
    return queue;
  }

  /** Takes the oldest lane whose head may start and is like this. */
  takeNextWhere(matches: (item: T) => boolean): KeyQueue<T> | undefined {
    const skipped: MutableKeyQueue<T>[] = [];
    let queue = this.#ready.shift();
    for (; queue && !matches(queue.head); queue = this.#ready.shift()) skipped.push(queue);
    for (const other of skipped.toReversed()) this.#ready.unshift(other);
    if (queue) queue.isBusy = true;
    return queue;
  }

  /** The head of a taken lane is finished, and so are those behind it up to this count; the next one may start. */
  completeHead(busyQueue: KeyQueue<T>, count = 1): void {
    const queue = busyQueue as MutableKeyQueue<T>;
    for (let skipped = 1; skipped < count; skipped++) queue.waiting?.shift();
    queue.isBusy = false;
    if (!queue.waiting?.length) return this.#remove(queue);
    queue.head = queue.waiting.shift() as T;
    this.#ready.push(queue);
  }

  /** Lets go of the last item: former tables of the map keep their lanes, and would drag it through the old heap. */
  #remove(queue: MutableKeyQueue<T>): void {
    this.#byKey.delete(queue.key);
    queue.head = undefined as T;
    queue.waiting = undefined;
  }

  /** The head of a taken lane has not been started after all: `front` before all others, `back` behind them. */
  requeue(busyQueue: KeyQueue<T>, end: "front" | "back"): void {
    const queue = busyQueue as MutableKeyQueue<T>;
    queue.isBusy = false;
    if (end === "front") this.#ready.unshift(queue);
    else this.#ready.push(queue);
  }

  /** How many items a lane has, its head included; 0 where there is none of this key. */
  lengthOf(key: string): number {
    const queue = this.#byKey.get(key);
    return queue ? lengthOf(queue) : 0;
  }

  /** Whether the head of the lane of this key is in work. */
  isBusy(key: string): boolean {
    return this.#byKey.get(key)?.isBusy ?? false;
  }

  /** The head and, in order, those behind it for which `isPart` holds without a gap; `most` of them at most. */
  peekRun(busyQueue: KeyQueue<T>, max: number, isPart: (item: T) => boolean): T[] {
    const run = [busyQueue.head];
    for (const item of (busyQueue as MutableKeyQueue<T>).waiting?.values() ?? []) {
      if (run.length >= max || !isPart(item)) break;
      run.push(item);
    }
    return run;
  }

  /** Lanes whose items weigh more than `most` together. */
  queuesHeavierThan(max: number, weigh: (item: T) => number): KeyQueue<T>[] {
    return [...this.#byKey.values()].filter(({ head, waiting }) => {
      let weight = weigh(head);
      for (const item of waiting?.values() ?? []) weight += weigh(item);
      return weight > max;
    });
  }

  /** The first item like this, wherever it is. */
  findItem(matches: (item: T) => boolean): T | undefined {
    for (const { head, waiting } of this.#byKey.values()) {
      const found = [head, ...(waiting?.values() ?? [])].find((item) => matches(item));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

const lengthOf = <T>({ waiting }: MutableKeyQueue<T>): number => 1 + (waiting?.length ?? 0);
