/** As `fetch`, reduced to what a request with a small JSON response needs. */
export type SendRequest = (
  url: string,
  request: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
    readonly body?: string;
  },
) => Promise<StreamedResponse>;

interface StreamedResponse {
  readonly status: number;
  readonly body: (AsyncIterable<Uint8Array> & { readonly cancel: () => Promise<void> }) | null;
}

export interface JsonResponse {
  readonly status: number;
  /** The JSON object in the body; empty if the body is something else. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Reads a response. Throws if it is a redirect, which may lead to an address that nobody configured, or if it has more than `maxBytes`. */
export const readJsonResponse = async ({ status, body }: StreamedResponse, maxBytes: number): Promise<JsonResponse> => {
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

/** Why a request failed. undici's fetch throws a TypeError "fetch failed" for every network error; the reason is in its cause. */
export const fetchErrorReason = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { code, message } = Object(error.cause) as { readonly code?: unknown; readonly message?: unknown };
  return [code, message].find((text) => typeof text === "string") ?? error.message;
};
