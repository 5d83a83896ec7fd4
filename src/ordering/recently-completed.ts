const maxRemembered = 10_000;

/** A set of ids that keeps the newest 10,000. */
export interface RecentlyCompleted {
  readonly size: number;
  has(id: string): boolean;
  /** Adds an id, and forgets the oldest if there are too many. */
  add(id: string): void;
}

/**
 * Remembers the ids of the events that have left the retry topics. A repeated produce request can write a record twice: the
 * second copy must not be delivered.
 */
export const createRecentlyCompleted = (): RecentlyCompleted => {
  const ids = new Set<string>();
  return {
    get size() {
      return ids.size;
    },
    has: (id) => ids.has(id),
    add: (id) => {
      ids.add(id);
      if (ids.size <= maxRemembered) return;
      for (const oldest of ids) {
        ids.delete(oldest);
        return;
      }
    },
  };
};
