/** What the broker said, as Kafka names its errors, wherever kafkajs hides it. */
export const errorTypesOf = (error: unknown): readonly string[] => {
  const { type, cause } = (error ?? {}) as { readonly type?: unknown; readonly cause?: unknown };
  const ownTypes = typeof type === "string" ? [type] : [];
  return cause === undefined ? ownTypes : [...ownTypes, ...errorTypesOf(cause)];
};
