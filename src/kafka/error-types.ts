/**
 * The error code in a broker's answer, by its name in Kafka's protocol, such as `UNKNOWN_MEMBER_ID`; undefined for an error that
 * comes from elsewhere, such as a lost connection. kafkajs puts the name into the `type` of what it throws.
 * Source: https://github.com/tulios/kafkajs/blob/v2.2.4/src/protocol/error.js.
 */
export const errorTypeOf = (error: unknown): string | undefined => {
  const { type } = (error ?? {}) as { readonly type?: unknown };
  return typeof type === "string" ? type : undefined;
};

/** The names of the brokers' error codes in an error and in its causes: kafkajs wraps an error after its last attempt. */
export const errorTypesOf = (error: unknown): readonly string[] => {
  const { cause } = (error ?? {}) as { readonly cause?: unknown };
  const ownType = errorTypeOf(error);
  return [...(ownType === undefined ? [] : [ownType]), ...(cause === undefined ? [] : errorTypesOf(cause))];
};
