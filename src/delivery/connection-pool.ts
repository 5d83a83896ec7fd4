interface Connection {
  readonly destroyed: boolean;
  readonly destroy: () => Promise<void>;
}

/** Connections that serve one call at a time. The one used last is used next. */
export class ConnectionPool<T extends Connection> {
  readonly #open: () => T;
  readonly #all = new Set<T>();
  readonly #idle: T[] = [];
  /** Released in this turn of the event loop. */
  readonly #released: T[] = [];
  #isClosed = false;

  constructor(open: () => T) {
    this.#open = open;
  }

  /** A connection from a closed pool is destroyed: every call on it fails. */
  acquire(): T {
    const idle = this.#idle.pop();
    if (idle) return idle;
    const connection = this.#open();
    this.#all.add(connection);
    if (this.#isClosed) void connection.destroy();
    return connection;
  }

  /** Reuses the connection from the next turn on. Only then undici knows whether the target closed it or sent more than a response. */
  release(connection: T): void {
    if (connection.destroyed) this.#all.delete(connection);
    else if (this.#released.push(connection) === 1) setImmediate(this.#reuseReleased);
  }

  readonly #reuseReleased = (): void => {
    for (const connection of this.#released) this.#idle.push(connection);
    this.#released.length = 0;
  };

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#idle.length = 0;
    await Promise.all(Array.from(this.#all, (connection) => connection.destroy()));
  }
}
