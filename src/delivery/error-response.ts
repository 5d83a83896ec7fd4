import type { CallResult, ResponseBodyKind } from "../core/outcome/classify.ts";
import { parseRetryAfter } from "../core/outcome/retry-after.ts";

/** By lower-case name, as undici gives them. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

type Response = Extract<CallResult, { kind: "response" }>;

const bodyKindOf = (contentType: string): ResponseBodyKind | undefined => {
  if (/\bhtml\b|\bxhtml\b/i.test(contentType)) return "html";
  return /\bjson\b/i.test(contentType) ? "json" : undefined;
};

const bodyKindByFirstByte: Readonly<Record<string, ResponseBodyKind>> = { "<": "html", "{": "json", "[": "json" };

/** A response without success, by its headers: from Gainsight, or from a proxy or firewall in front of it. */
export const errorResponseOf = (status: number, headers: ResponseHeaders, wallNowMs: number): Response => {
  const { "retry-after": retryAfter, "content-type": contentType } = headers;
  const retryAfterMs = retryAfter === undefined ? undefined : parseRetryAfter(String(retryAfter), wallNowMs);
  const body = contentType === undefined ? undefined : bodyKindOf(String(contentType));
  return {
    kind: "response",
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(body !== undefined && { body }),
  };
};

/** Adds the kind of the body by its first bytes if no header says it. The body itself is never kept. */
export const withBodyKindFromBytes = (response: Response, chunk: Buffer): Response => {
  if (response.status < 300 || response.body !== undefined) return response;
  const body = bodyKindByFirstByte[chunk.toString("latin1", 0, 16).trimStart().charAt(0)];
  return body === undefined ? response : { ...response, body };
};
