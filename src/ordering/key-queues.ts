import { Fifo } from "./fifo.ts";

/** The events of one user in one partition, in order. The head is in work or waits for its turn; the rest wait for it. */
export interface Lane<T> {
  readonly key: string;
  readonly head: T;
  /** Too much waits behind its head: it has to make way as soon as it can. */
  mustYield: boolean;
}

interface OwnLane<T> extends Lane<T> {
  head: T;
  /** Its head is in work. */
  isTaken: boolean;
  /** Most users have one event at a time: the queue comes only with the second. */
  rest: Fifo<T> | undefined;
}

/** All lanes of one assignment. Different lanes run at the same time; one lane never runs twice at a time. */
export class Lanes<T> {
  readonly #byKey = new Map<string, OwnLane<T>>();
  readonly #ready: Fifo<OwnLane<T>> = new Fifo();

  /** Lanes whose head may start. */
  get ready(): number {
    return this.#ready.length;
  }

  /** Puts an item at the end of its user's lane. */
  add(key: string, item: T): void {
    const lane = this.#byKey.get(key);
    if (lane) {
      lane.rest ??= new Fifo<T>();
      lane.rest.push(item);
      return;
    }
    const fresh: OwnLane<T> = { key, head: item, mustYield: false, isTaken: false, rest: undefined };
    this.#byKey.set(key, fresh);
    this.#ready.push(fresh);
  }

  /** Takes the next lane whose head may start, oldest first; it stays taken until `done` or `putBack`. */
  next(): Lane<T> | undefined {
    const lane = this.#ready.shift();
    if (lane) lane.isTaken = true;
    return lane;
  }

  /** Takes the oldest lane whose head may start and is like this. */
  nextLike(isIt: (item: T) => boolean): Lane<T> | undefined {
    const passed: OwnLane<T>[] = [];
    let lane = this.#ready.shift();
    for (; lane && !isIt(lane.head); lane = this.#ready.shift()) passed.push(lane);
    for (const unlike of passed.toReversed()) this.#ready.unshift(unlike);
    if (lane) lane.isTaken = true;
    return lane;
  }

  /** The head of a taken lane is finished, and so are those behind it up to this count; the next one may start. */
  done(taken: Lane<T>, count = 1): void {
    const lane = taken as OwnLane<T>;
    for (let passed = 1; passed < count; passed++) lane.rest?.shift();
    lane.isTaken = false;
    if (!lane.rest?.length) return this.#end(lane);
    lane.head = lane.rest.shift() as T;
    this.#ready.push(lane);
  }

  /** Lets go of the last item: former tables of the map keep their lanes, and would drag it through the old heap. */
  #end(lane: OwnLane<T>): void {
    this.#byKey.delete(lane.key);
    lane.head = undefined as T;
    lane.rest = undefined;
  }

  /** The head of a taken lane has not been started after all: `front` before all others, `back` behind them. */
  putBack(taken: Lane<T>, place: "front" | "back"): void {
    const lane = taken as OwnLane<T>;
    lane.isTaken = false;
    if (place === "front") this.#ready.unshift(lane);
    else this.#ready.push(lane);
  }

  /** How many items a lane has, its head included; 0 where there is none of this key. */
  lengthOf(key: string): number {
    const lane = this.#byKey.get(key);
    return lane ? lengthOf(lane) : 0;
  }

  /** Whether the head of the lane of this key is in work. */
  isTaken(key: string): boolean {
    return this.#byKey.get(key)?.isTaken ?? false;
  }

  /** The head and, in order, those behind it for which `isPart` holds without a gap; `most` of them at most. */
  run(taken: Lane<T>, most: number, isPart: (item: T) => boolean): T[] {
    const run = [taken.head];
    for (const item of (taken as OwnLane<T>).rest?.values() ?? []) {
      if (run.length >= most || !isPart(item)) break;
      run.push(item);
    }
    return run;
  }

  /** Lanes whose items weigh more than `most` together. */
  heavierThan(most: number, weigh: (item: T) => number): Lane<T>[] {
    return [...this.#byKey.values()].filter(({ head, rest }) => {
      let weight = weigh(head);
      for (const item of rest?.values() ?? []) weight += weigh(item);
      return weight > most;
    });
  }

  /** The first item like this, wherever it is. */
  find(isIt: (item: T) => boolean): T | undefined {
    for (const { head, rest } of this.#byKey.values()) {
      const found = [head, ...(rest?.values() ?? [])].find((item) => isIt(item));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

const lengthOf = <T>({ rest }: OwnLane<T>): number => 1 + (rest?.length ?? 0);
