import type { Answer, AnswerBody } from "../core/outcome/classify.ts";
import { parseRetryAfter } from "../core/outcome/retry-after.ts";

type Response = Extract<Answer, { kind: "response" }>;

type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

const bodyOfType = (type: string): AnswerBody | undefined => {
  if (/\bhtml\b|\bxhtml\b/i.test(type)) return "html";
  return /\bjson\b/i.test(type) ? "json" : undefined;
};

const bodyByFirstByte: Readonly<Record<string, AnswerBody>> = { "<": "html", "{": "json", "[": "json" };

/** What Gainsight, or whoever stands in front of it, says with a status that is no success. */
export const refusalOf = (status: number, headers: ResponseHeaders, now: number): Response => {
  const { "retry-after": asked, "content-type": type } = headers;
  const retryAfterMs = asked === undefined ? undefined : parseRetryAfter(String(asked), now);
  const body = type === undefined ? undefined : bodyOfType(String(type));
  return {
    kind: "response",
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(body !== undefined && { body }),
  };
};

/** The same, after the first bytes of its body: they tell what it is if no header did. The body itself is never kept. */
export const withFirstBytes = (response: Response, chunk: Buffer): Response => {
  if (response.status < 300 || response.body !== undefined) return response;
  const body = bodyByFirstByte[chunk.toString("latin1", 0, 16).trimStart().charAt(0)];
  return body === undefined ? response : { ...response, body };
};
