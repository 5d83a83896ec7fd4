/** Settles as `work` does. If `work` takes longer than `timeoutMs`, rejects with an error of this message. */
export const withTimeout = async <T>(work: Promise<T>, timeoutMs: number, message: () => string): Promise<T> => {
  const timedOut = Promise.withResolvers<never>();
  const timer = setTimeout(() => timedOut.reject(new Error(message())), timeoutMs);
  return Promise.race([work, timedOut.promise]).finally(() => clearTimeout(timer));
};
