import { type Fifo, createFifo } from "./fifo.ts";

/** The events of one user in one partition, in order. The head is in work or waits for its turn; the rest wait for it. */
export interface Lane<T> {
  readonly key: string;
  readonly head: T;
}

interface OwnLane<T> extends Lane<T> {
  head: T;
  /** Most users have one event at a time: the queue comes only with the second. */
  rest: Fifo<T> | undefined;
}

/** All lanes of one assignment. Different lanes run at the same time; one lane never runs twice at a time. */
export class Lanes<T> {
  readonly #byKey = new Map<string, OwnLane<T>>();
  readonly #ready: Fifo<OwnLane<T>> = createFifo();

  /** Lanes whose head may start. */
  get ready(): number {
    return this.#ready.length;
  }

  /** Puts an item at the end of its user's lane. */
  add(key: string, item: T): void {
    const lane = this.#byKey.get(key);
    if (lane) {
      lane.rest ??= createFifo<T>();
      lane.rest.push(item);
      return;
    }
    const fresh: OwnLane<T> = { key, head: item, rest: undefined };
    this.#byKey.set(key, fresh);
    this.#ready.push(fresh);
  }

  /** Takes the next lane whose head may start, oldest first; it stays taken until `done` or `putBack`. */
  next(): Lane<T> | undefined {
    return this.#ready.shift();
  }

  /** The head of a taken lane is finished; the one behind it may start. */
  done(taken: Lane<T>): void {
    const lane = taken as OwnLane<T>;
    if (!lane.rest?.length) {
      this.#byKey.delete(lane.key);
      return;
    }
    lane.head = lane.rest.shift() as T;
    this.#ready.push(lane);
  }

  /** The head of a taken lane has not been started after all: `front` before all others, `back` behind them. */
  putBack(taken: Lane<T>, place: "front" | "back"): void {
    const lane = taken as OwnLane<T>;
    if (place === "front") this.#ready.unshift(lane);
    else this.#ready.push(lane);
  }
}
