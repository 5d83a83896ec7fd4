import { type Dead, type Hold, type Retry, type RetryReason, type Verdict, dead, delivered } from "./outcome.ts";

/** What came back from one HTTP call. */
export type Answer =
  | { readonly kind: "response"; readonly status: number; readonly retryAfterMs?: number }
  | { readonly kind: "timeout"; readonly timeoutMs: number }
  /** `sent` is false where the connection broke before anything of the request was written. */
  | { readonly kind: "network"; readonly code: string; readonly sent: boolean };

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

const rejected = (status: number): Dead =>
  dead("rejected", `Gainsight refused the event with status ${status}`, status);

const byStatus: Readonly<Record<number, (response: Response) => Verdict>> = {
  // The key is wrong or was revoked: every event would fail, so none is to blame.
  401: (r) => hold("unauthorized", "Gainsight refused the access key (401)", r),
  403: (r) => hold("unauthorized", "Gainsight refused the access key (403)", r),
  // The address is wrong, not the event.
  404: (r) => hold("misconfigured", "Nothing answers at the configured address (404)", r),
  405: (r) => hold("misconfigured", "The configured address takes no POST (405)", r),
  // Somebody else is working on the same thing; a moment later it will do.
  408: (r) => retry("locked", "Gainsight gave up waiting for the request (408)", r),
  409: (r) => retry("locked", "Gainsight reports a conflict (409)", r),
  423: (r) => retry("locked", "Gainsight reports a lock (423)", r),
  425: (r) => retry("locked", "Gainsight says it is too early (425)", r),
  // The limit is the tenant's, not the event's.
  429: (r) => hold("throttled", "Gainsight throttles (429)", r),
  // A server that will never implement it; waiting does not help.
  501: (r) => rejected(r.status),
};

const classifyResponse = (response: Response): Verdict => {
  const { status } = response;
  if (status >= 200 && status < 300) return delivered;
  const special = byStatus[status];
  if (special) return special(response);
  if (status >= 300 && status < 400)
    return hold(
      "misconfigured",
      `Gainsight redirects (${status}); a redirect is never followed with the key`,
      response,
    );
  if (status >= 400 && status < 500) return rejected(status);
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
      return retry("network", `The connection failed (${answer.code})`);
  }
};

/** Whether a verdict speaks of the target's health. 4xx and 429 do not: a target that refuses is alive. */
export const isTargetFailure = (verdict: Verdict): verdict is Retry =>
  verdict.kind === "retry" && ["timeout", "network", "server_error"].includes(verdict.reason);
