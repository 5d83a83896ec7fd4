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

/** The result of one HTTP call to Gainsight. */
export type CallResult =
  | {
      readonly kind: "response";
      readonly status: number;
      readonly retryAfterMs?: number;
      /**
       * The kind of body of a response that is not 2xx. Gainsight sends JSON; a firewall or a proxy in front of it sends an HTML page.
       */
      readonly body?: ResponseBodyKind;
      /** Only of a 2xx whose body says `result: false`. */
      readonly resultFalse?: ResultFalse;
    }
  | { readonly kind: "timeout"; readonly timeoutMs: number }
  /** `sent` is false if the connection failed before any byte of the request was written. `problem` is a sentence about a proxy. */
  | { readonly kind: "network"; readonly code: string; readonly sent: boolean; readonly problem?: string }
  /** gainstream aborted the call. */
  | { readonly kind: "aborted" };

export type ResponseBodyKind = "html" | "json";

const retry = (reason: RetryReason, error: string, result?: { status: number; retryAfterMs?: number }): Retry => ({
  kind: "retry",
  reason,
  error,
  ...(result && { status: result.status }),
  ...(result?.retryAfterMs !== undefined && { retryAfterMs: result.retryAfterMs }),
});

type Response = Extract<CallResult, { kind: "response" }>;

const hold = (reason: Hold["reason"], error: string, { status, retryAfterMs }: Response): Hold => ({
  kind: "hold",
  reason,
  error,
  status,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

const bodyKindTexts: Readonly<Record<ResponseBodyKind, string>> = { html: ", an HTML page", json: ", JSON" };

const resultFalseText = ({ code }: ResultFalse): string => `, result: false${code === undefined ? "" : `, ${code}`}`;

/** The status and the kind of body: `403, an HTML page`. */
const statusText = ({ status, body, resultFalse }: Response): string =>
  `${status}${body ? bodyKindTexts[body] : ""}${resultFalse ? resultFalseText(resultFalse) : ""}`;

/** Like `statusText`, for a response that a firewall may have sent instead of Gainsight. */
const refusalText = (response: Response): string =>
  `${statusText(response)}${response.body === "html" ? ": maybe a firewall" : ""}`;

const rejected = (response: Response): Dead =>
  dead("rejected", `Gainsight refused the event (${refusalText(response)})`, response.status);

const unauthorized = (response: Response): Hold =>
  hold("unauthorized", `Gainsight refused the access key (${refusalText(response)})`, response);

const misconfigured = (response: Response): Hold =>
  hold("misconfigured", `The configured address does not exist (${statusText(response)})`, response);

// The rate limit is the tenant's, not the event's.
const throttled = (response: Response): Hold =>
  hold("throttled", `Gainsight throttles requests (${refusalText(response)})`, response);

/** Sources of the statuses: https://www.rfc-editor.org/rfc/rfc9110 (section 15), 423: rfc4918, 425: rfc8470, 429: rfc6585. */
const verdictByStatus: Readonly<Record<number, (response: Response) => Verdict>> = {
  // The key is wrong or revoked. Every event would fail, so no event is to blame.
  401: unauthorized,
  403: unauthorized,
  // The address is wrong, not the event.
  404: misconfigured,
  405: (response) =>
    hold("misconfigured", `The configured address does not accept POST (${statusText(response)})`, response),
  // Another request holds the record, or Gainsight was too slow. A later attempt can succeed.
  408: (response) => retry("locked", "Gainsight timed out waiting for the request (408)", response),
  409: (response) => retry("locked", "Gainsight reports a conflict (409)", response),
  423: (response) => retry("locked", "Gainsight reports a lock (423)", response),
  425: (response) => retry("locked", "Gainsight considers the request too early (425)", response),
  429: throttled,
  // The server does not implement the request; a later attempt fails as well.
  501: rejected,
};

// An identify call, a group call or a nightly import may create the person or company later.
const notYet = (response: Response): Retry =>
  retry("not_yet", `Gainsight does not know the event's person or company yet (${statusText(response)})`, response);

/** Source of the codes: https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs, the articles "Error Codes for ...". */
const verdictByCode: Readonly<Record<string, (response: Response) => Verdict>> = {
  GSOBJ_1011: notYet,
  GSOBJ_PEOPLE1001: notYet,
  GU_2400: throttled,
  GS_APIG_2404: throttled,
  GS_APIG_2401: unauthorized,
  // The IP address of this service is not on the tenant's allow-list.
  GS_APIG_2402: unauthorized,
  GS_APIG_1000: misconfigured,
};

const classifySuccess = (response: Response): Verdict => {
  if (response.resultFalse === undefined) return delivered;
  const { code = "" } = response.resultFalse;
  const toVerdict = Object.hasOwn(verdictByCode, code) ? verdictByCode[code] : undefined;
  if (toVerdict) return toVerdict(response);
  // The other GSOBJ_ codes are about the data of the event.
  if (code.startsWith("GSOBJ_")) return rejected(response);
  return retry("server_error", `Gainsight failed (${statusText(response)})`, response);
};

const classifyResponse = (response: Response): Verdict => {
  const { status } = response;
  if (status >= 200 && status < 300) return classifySuccess(response);
  const toVerdict = verdictByStatus[status];
  if (toVerdict) return toVerdict(response);
  if (status >= 300 && status < 400)
    return hold(
      "misconfigured",
      `Gainsight redirects (${statusText(response)}); gainstream follows no redirect, because the request holds the access key`,
      response,
    );
  if (status >= 400 && status < 500) return rejected(response);
  return retry("server_error", `Gainsight failed with status ${status}`, response);
};

/**
 * Turns the result of one call on the clickstream route into a verdict: delivered, retry, dead letter, hold or aborted. Every 2xx is
 * delivered unless its body says `result: false`.
 */
export const classify = (result: CallResult): Verdict => {
  switch (result.kind) {
    case "response":
      return classifyResponse(result);
    case "timeout":
      return retry("timeout", `No answer within ${result.timeoutMs} ms`);
    case "network":
      return retry("network", result.problem ?? `The connection failed (${result.code})`);
    case "aborted":
      return aborted;
  }
};

/** Whether a verdict counts as a failure of Gainsight itself (for the breaker). A 4xx does not: a server that refuses is alive. */
export const isTargetFailure = (verdict: Verdict): verdict is Retry =>
  verdict.kind === "retry" && ["timeout", "network", "server_error"].includes(verdict.reason);
