const compactAt = 1_024;

/**
 * A first-in, first-out queue whose operations take constant time however long it is: an array with a moving head, cut off
 * only when the dead part has grown, so that no call moves many items. Cut off in place: an array left behind in the old
 * heap would drag all that it still names along, finished or not, until the next full collection.
 */
export class Fifo<T> {
  readonly #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts an item before all others: it was taken too early. */
  unshift(item: T): void {
    if (this.#head === 0) this.#items.unshift(item);
    else this.#items[--this.#head] = item;
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    this.#compact();
    return item;
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** From the oldest to the newest. */
  *values(): Iterable<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as T;
  }

  #compact(): void {
    if (this.#head === this.#items.length) this.#items.length = this.#head = 0;
    else if (this.#head >= compactAt && this.#head * 2 >= this.#items.length) {
      this.#items.copyWithin(0, this.#head);
      this.#items.length -= this.#head;
      this.#head = 0;
    }
  }
}
