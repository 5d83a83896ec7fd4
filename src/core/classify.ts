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

/** What came back from one HTTP call. */
export type Answer =
  | {
      readonly kind: "response";
      readonly status: number;
      readonly retryAfterMs?: number;
      /** What a refusal's body is. Gainsight answers JSON; a firewall or a proxy in front of it answers a page. */
      readonly body?: AnswerBody;
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

/** Status and kind of body, as in `403, an HTML page`. */
const statusText = ({ status, body }: Response): string => `${status}${body ? bodyText[body] : ""}`;

/** As `statusText`, for refusals that a firewall may have made. */
const refusalText = (response: Response): string =>
  `${statusText(response)}${response.body === "html" ? ": maybe a firewall" : ""}`;

const rejected = (response: Response): Dead =>
  dead("rejected", `Gainsight refused the event (${refusalText(response)})`, response.status);

const byStatus: Readonly<Record<number, (response: Response) => Verdict>> = {
  // The key is wrong or was revoked: every event would fail, so none is to blame.
  401: (r) => hold("unauthorized", `Gainsight refused the access key (${refusalText(r)})`, r),
  403: (r) => hold("unauthorized", `Gainsight refused the access key (${refusalText(r)})`, r),
  // The address is wrong, not the event.
  404: (r) => hold("misconfigured", `Nothing answers at the configured address (${statusText(r)})`, r),
  405: (r) => hold("misconfigured", `The configured address takes no POST (${statusText(r)})`, r),
  // Somebody else is working on the same thing; a moment later it will do.
  408: (r) => retry("locked", "Gainsight gave up waiting for the request (408)", r),
  409: (r) => retry("locked", "Gainsight reports a conflict (409)", r),
  423: (r) => retry("locked", "Gainsight reports a lock (423)", r),
  425: (r) => retry("locked", "Gainsight says it is too early (425)", r),
  // The limit is the tenant's, not the event's.
  429: (r) => hold("throttled", `Gainsight throttles (${refusalText(r)})`, r),
  // A server that will never implement it; waiting does not help.
  501: (r) => rejected(r),
};

const classifyResponse = (response: Response): Verdict => {
  const { status } = response;
  if (status >= 200 && status < 300) return delivered;
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

/** What one answer on the clickstream route means. Any 2xx is delivered, whatever its body says. */
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
