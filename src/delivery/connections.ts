interface Connection {
  readonly destroyed: boolean;
  readonly destroy: () => Promise<void>;
}

/** Connections, each of them lent to one call at a time, the last one used first. */
export class ConnectionPool<T extends Connection> {
  readonly #open: () => T;
  readonly #all = new Set<T>();
  readonly #idle: T[] = [];
  /** Given back in this turn of the event loop. */
  readonly #released: T[] = [];
  #isClosed = false;

  constructor(open: () => T) {
    this.#open = open;
  }

  acquire(): T {
    const idle = this.#idle.pop();
    if (idle) return idle;
    const client = this.#open();
    this.#all.add(client);
    // It refuses every call.
    if (this.#isClosed) void client.destroy();
    return client;
  }

  /** It rests until the next turn: only then undici can know whether the target has closed it, or sent more than an answer. */
  release(client: T): void {
    if (client.destroyed) this.#all.delete(client);
    else if (this.#released.push(client) === 1) setImmediate(this.#reuseReleased);
  }

  readonly #reuseReleased = (): void => {
    for (const client of this.#released) this.#idle.push(client);
    this.#released.length = 0;
  };

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#idle.length = 0;
    await Promise.all(Array.from(this.#all, (client) => client.destroy()));
  }
}
