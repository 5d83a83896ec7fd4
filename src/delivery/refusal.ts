import type { CallResult, ResponseBodyKind } from "../core/outcome/classify.ts";
import { parseRetryAfter } from "../core/outcome/retry-after.ts";

type ErrorResponse = Extract<CallResult, { kind: "response" }>;

type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

const bodyKindOf = (type: string): ResponseBodyKind | undefined => {
  if (/\bhtml\b|\bxhtml\b/i.test(type)) return "html";
  return /\bjson\b/i.test(type) ? "json" : undefined;
};

const bodyKindByFirstByte: Readonly<Record<string, ResponseBodyKind>> = { "<": "html", "{": "json", "[": "json" };

/** What Gainsight, or whoever stands in front of it, says with a status that is no success. */
export const errorResponseOf = (status: number, headers: ResponseHeaders, wallNowMs: number): ErrorResponse => {
  const { "retry-after": retryAfter, "content-type": type } = headers;
  const retryAfterMs = retryAfter === undefined ? undefined : parseRetryAfter(String(retryAfter), wallNowMs);
  const body = type === undefined ? undefined : bodyKindOf(String(type));
  return {
    kind: "response",
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(body !== undefined && { body }),
  };
};

/** The same, after the first bytes of its body: they tell what it is if no header did. The body itself is never kept. */
export const withBodyKindFromBytes = (response: ErrorResponse, chunk: Buffer): ErrorResponse => {
  if (response.status < 300 || response.body !== undefined) return response;
  const body = bodyKindByFirstByte[chunk.toString("latin1", 0, 16).trimStart().charAt(0)];
  return body === undefined ? response : { ...response, body };
};
