/** Removes the oldest entry of a map or a set that has grown beyond its maximum size. */
export const evictOldest = <K>(entries: Map<K, unknown> | Set<K>, maxSize: number): void => {
  const oldest = entries.keys().next();
  if (entries.size > maxSize && oldest.done !== true) entries.delete(oldest.value);
};
