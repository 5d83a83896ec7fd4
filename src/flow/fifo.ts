/** A first-in, first-out queue whose operations take constant time however long it is. */
export interface Fifo<T> {
  readonly length: number;
  push(item: T): void;
  /** Puts an item before all others: it was taken too early. */
  unshift(item: T): void;
  shift(): T | undefined;
  peek(): T | undefined;
  /** From the oldest to the newest. */
  values(): Iterable<T>;
}

const compactAt = 1_024;

/** An array with a moving head: cut off only when the dead part has grown, so that no call moves many items. */
export const createFifo = <T>(): Fifo<T> => {
  let items: (T | undefined)[] = [];
  let head = 0;
  const compact = (): void => {
    if (head < compactAt || head * 2 < items.length) return;
    items = items.slice(head);
    head = 0;
  };
  return {
    get length() {
      return items.length - head;
    },
    push: (item) => void items.push(item),
    unshift: (item) => {
      if (head === 0) items.unshift(item);
      else items[--head] = item;
    },
    shift: () => {
      if (head === items.length) return undefined;
      const item = items[head];
      items[head++] = undefined;
      compact();
      return item;
    },
    peek: () => items[head],
    *values() {
      for (let at = head; at < items.length; at++) yield items[at] as T;
    },
  };
};
