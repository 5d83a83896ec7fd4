/** As everybody's `fetch`, as far as a question with a small answer in JSON needs it. */
export type SendRequest = (
  url: string,
  request: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
    readonly body?: string;
  },
) => Promise<RawResponse>;

interface RawResponse {
  readonly status: number;
  readonly body: (AsyncIterable<Uint8Array> & { readonly cancel: () => Promise<void> }) | null;
}

export interface JsonResponse {
  readonly status: number;
  /** The JSON object that was answered; empty if it was none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Reads an answer. Throws if it is a redirect, which may lead to an address that nobody has configured, or larger than `maxBytes`. */
export const readJsonResponse = async ({ status, body }: RawResponse, maxBytes: number): Promise<JsonResponse> => {
  if (status >= 300 && status <= 399) {
    await body?.cancel();
    throw new Error(`got a redirect (status ${status}), which is not followed`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`got an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return { status, body: parseObject(Buffer.concat(chunks).toString()) };
};

const parseObject = (text: string): JsonResponse["body"] => {
  try {
    return Object(JSON.parse(text)) as JsonResponse["body"];
  } catch {
    return {};
  }
};

/** Why there is no answer. fetch says "fetch failed", as a TypeError that is no mistake of ours; what happened is in the cause. */
export const fetchErrorReason = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { code, message } = Object(error.cause) as { readonly code?: unknown; readonly message?: unknown };
  return [code, message].find((text) => typeof text === "string") ?? error.message;
};
