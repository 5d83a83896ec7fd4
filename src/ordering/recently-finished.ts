const maxRemembered = 10_000;

/** Ids finished lately: a copy of one, written twice by a repeated produce, must not be delivered again. */
export const createLately = () => {
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
