import {
  type Dead,
  type Hold,
  type Retry,
  type RetryReason,
  type Verdict,
  aborted,
  dead,
  delivered,
} from "./outcome.ts";
import type { ResultFalse } from "./result-false.ts";

/** What came back from one HTTP call. */
export type Answer =
  | {
      readonly kind: "response";
      readonly status: number;
      readonly retryAfterMs?: number;
      /** What a refusal's body is. Gainsight answers JSON; a firewall or a proxy in front of it answers a page. */
      readonly body?: AnswerBody;
      /** Only of a 2xx. */
      readonly resultFalse?: ResultFalse;
    }
  | { readonly kind: "timeout"; readonly timeoutMs: number }
  /** `sent` is false where the connection broke before anything of the request was written; `problem` is a sentence about a proxy. */
  | { readonly kind: "network"; readonly code: string; readonly sent: boolean; readonly problem?: string }
  /** We ended the call ourselves. */
  | { readonly kind: "aborted" };

export type AnswerBody = "html" | "json";

const retry = (reason: RetryReason, error: string, answer?: { status: number; retryAfterMs?: number }): Retry => ({
  kind: "retry",
  reason,
  error,
  ...(answer && { status: answer.status }),
  ...(answer?.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }),
});

type Response = Extract<Answer, { kind: "response" }>;

const hold = (reason: Hold["reason"], error: string, { status, retryAfterMs }: Response): Hold => ({
  kind: "hold",
  reason,
  error,
  status,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

const bodyText: Readonly<Record<AnswerBody, string>> = { html: ", an HTML page", json: ", JSON" };

const resultText = ({ code }: ResultFalse): string => `, result: false${code === undefined ? "" : `, ${code}`}`;

/** Status and kind of body, as in `403, an HTML page`. */
const statusText = ({ status, body, resultFalse }: Response): string =>
  `${status}${body ? bodyText[body] : ""}${resultFalse ? resultText(resultFalse) : ""}`;

/** As `statusText`, for refusals that a firewall may have made. */
const refusalText = (response: Response): string =>
  `${statusText(response)}${response.body === "html" ? ": maybe a firewall" : ""}`;

const rejected = (response: Response): Dead =>
  dead("rejected", `Gainsight refused the event (${refusalText(response)})`, response.status);

const unauthorized = (response: Response): Hold =>
  hold("unauthorized", `Gainsight refused the access key (${refusalText(response)})`, response);

const misconfigured = (response: Response): Hold =>
  hold("misconfigured", `Nothing answers at the configured address (${statusText(response)})`, response);

// The limit is the tenant's, not the event's.
const throttled = (response: Response): Hold =>
  hold("throttled", `Gainsight throttles (${refusalText(response)})`, response);

const byStatus: Readonly<Record<number, (response: Response) => Verdict>> = {
  // The key is wrong or was revoked: every event would fail, so none is to blame.
  401: unauthorized,
  403: unauthorized,
  // The address is wrong, not the event.
  404: misconfigured,
  405: (r) => hold("misconfigured", `The configured address takes no POST (${statusText(r)})`, r),
  // Somebody else is working on the same thing; a moment later it will do.
  408: (r) => retry("locked", "Gainsight gave up waiting for the request (408)", r),
  409: (r) => retry("locked", "Gainsight reports a conflict (409)", r),
  423: (r) => retry("locked", "Gainsight reports a lock (423)", r),
  425: (r) => retry("locked", "Gainsight says it is too early (425)", r),
  429: throttled,
  // A server that will never implement it; waiting does not help.
  501: rejected,
};

// The person or company may come later: an identify or group call, or a nightly import, brings it.
const notYet = (response: Response): Retry =>
  retry("not_yet", `Gainsight does not know what the event belongs to (${statusText(response)})`, response);

const byCode: Readonly<Record<string, (response: Response) => Verdict>> = {
  GSOBJ_1011: notYet,
  GSOBJ_PEOPLE1001: notYet,
  GU_2400: throttled,
  GS_APIG_2404: throttled,
  GS_APIG_2401: unauthorized,
  // The address of this service is not on the tenant's list.
  GS_APIG_2402: unauthorized,
  GS_APIG_1000: misconfigured,
};

const classifySuccess = (response: Response): Verdict => {
  if (response.resultFalse === undefined) return delivered;
  const { code = "" } = response.resultFalse;
  const known = Object.hasOwn(byCode, code) ? byCode[code] : undefined;
  if (known) return known(response);
  // What Gainsight says of an event's own data.
  if (code.startsWith("GSOBJ_")) return rejected(response);
  return retry("server_error", `Gainsight failed (${statusText(response)})`, response);
};

const classifyResponse = (response: Response): Verdict => {
  const { status } = response;
  if (status >= 200 && status < 300) return classifySuccess(response);
  const special = byStatus[status];
  if (special) return special(response);
  if (status >= 300 && status < 400)
    return hold(
      "misconfigured",
      `Gainsight redirects (${statusText(response)}); a redirect is never followed with the key`,
      response,
    );
  if (status >= 400 && status < 500) return rejected(response);
  return retry("server_error", `Gainsight failed with status ${status}`, response);
};

/** What one answer on the clickstream route means. Any 2xx is delivered, unless its body says `result: false`. */
export const classify = (answer: Answer): Verdict => {
  switch (answer.kind) {
    case "response":
      return classifyResponse(answer);
    case "timeout":
      return retry("timeout", `No answer within ${answer.timeoutMs} ms`);
    case "network":
      return retry("network", answer.problem ?? `The connection failed (${answer.code})`);
    case "aborted":
      return aborted;
  }
};

/** Whether a verdict speaks of the target's health. 4xx and 429 do not: a target that refuses is alive. */
export const isTargetFailure = (verdict: Verdict): verdict is Retry =>
  verdict.kind === "retry" && ["timeout", "network", "server_error"].includes(verdict.reason);
