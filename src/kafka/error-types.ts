/** What the broker said, as Kafka names its errors, wherever kafkajs hides it. */
export const typesOf = (error: unknown): readonly string[] => {
  const { type, cause } = (error ?? {}) as { readonly type?: unknown; readonly cause?: unknown };
  const own = typeof type === "string" ? [type] : [];
  return cause === undefined ? own : [...own, ...typesOf(cause)];
};
