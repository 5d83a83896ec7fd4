import { describe, expect, test } from "vitest";

import { type CallResult, classify, isTargetFailure } from "../../../src/core/outcome/classify.ts";

const target = true;
const alive = false;

// status, kind, reason, whether it counts as a failure of the target, and the mistake that the row prevents.
const statuses: [status: number, kind: string, reason: string | undefined, failure: boolean, why: string][] = [
  [100, "retry", "server_error", target, "an informational status is no result"],
  [103, "retry", "server_error", target, "an informational status is no result"],
  [200, "delivered", undefined, alive, "accepted"],
  [202, "delivered", undefined, alive, "accepted"],
  [204, "delivered", undefined, alive, "accepted"],
  [299, "delivered", undefined, alive, "every 2xx is accepted"],
  [301, "hold", "misconfigured", alive, "a moved address must not empty the topic"],
  [302, "hold", "misconfigured", alive, "nor a login page"],
  [304, "hold", "misconfigured", alive, "nor a cache in between"],
  [308, "hold", "misconfigured", alive, "the key never follows a redirect"],
  [400, "dead", "rejected", alive, "this event is wrong, others are not"],
  [401, "hold", "unauthorized", alive, "a revoked key must not empty the topic"],
  [402, "dead", "rejected", alive, "other 4xx"],
  [403, "hold", "unauthorized", alive, "a revoked key must not empty the topic"],
  [404, "hold", "misconfigured", alive, "a mistyped address must not empty the topic"],
  [405, "hold", "misconfigured", alive, "a mistyped address must not empty the topic"],
  [408, "retry", "locked", alive, "a later attempt can succeed"],
  [409, "retry", "locked", alive, "a later attempt can succeed"],
  [410, "dead", "rejected", alive, "other 4xx"],
  [413, "dead", "rejected", alive, "other 4xx"],
  [422, "dead", "rejected", alive, "other 4xx"],
  [423, "retry", "locked", alive, "a later attempt can succeed"],
  [425, "retry", "locked", alive, "a later attempt can succeed"],
  [429, "hold", "throttled", alive, "the limit is the tenant's, no attempt is used"],
  [451, "dead", "rejected", alive, "other 4xx"],
  [499, "dead", "rejected", alive, "other 4xx"],
  [500, "retry", "server_error", target, "an outage"],
  [501, "dead", "rejected", alive, "waiting does not help"],
  [502, "retry", "server_error", target, "an outage"],
  [503, "retry", "server_error", target, "an outage"],
  [504, "retry", "server_error", target, "an outage"],
  [599, "retry", "server_error", target, "an outage"],
];

describe("classify()", () => {
  test.each(statuses)("classifies %i as %s (%s; target failure: %s): %s", (status, kind, reason, failure) => {
    const verdict = classify({ kind: "response", status });
    expect(verdict.kind).toBe(kind);
    expect("reason" in verdict ? verdict.reason : undefined).toBe(reason);
    expect(isTargetFailure(verdict)).toBe(failure);
  });

  test.each(statuses.filter(([, kind]) => kind !== "delivered"))("names %i in its error and keeps it", (status) => {
    const verdict = classify({ kind: "response", status });
    expect(verdict).toMatchObject({ status, error: expect.stringContaining(String(status)) });
  });

  test.each([429, 503, 423, 401, 302])("keeps the Retry-After of %i", (status) => {
    expect(classify({ kind: "response", status, retryAfterMs: 0 })).toMatchObject({ retryAfterMs: 0 });
    expect(classify({ kind: "response", status })).not.toHaveProperty("retryAfterMs");
  });

  test.each([
    [401, "html", "Gainsight refused the access key (401, an HTML page: maybe a firewall)"],
    [403, "html", "Gainsight refused the access key (403, an HTML page: maybe a firewall)"],
    [403, "json", "Gainsight refused the access key (403, JSON)"],
    [404, "html", "The configured address does not exist (404, an HTML page)"],
    [429, "html", "Gainsight throttles requests (429, an HTML page: maybe a firewall)"],
    [406, "html", "Gainsight refused the event (406, an HTML page: maybe a firewall)"],
    [400, "json", "Gainsight refused the event (400, JSON)"],
  ] as const)("names for %i the kind of body, %s, because firewalls answer with pages", (status, body, error) => {
    expect(classify({ kind: "response", status, body })).toMatchObject({ status, error });
  });

  test.each<[code: string | undefined, verdict: object, failure: boolean]>([
    [
      "GSOBJ_1002",
      { kind: "dead", reason: "rejected", error: "Gainsight refused the event (200, result: false, GSOBJ_1002)" },
      alive,
    ],
    ["GSOBJ_VDTEMAIL1001", { kind: "dead", reason: "rejected" }, alive],
    ["GSOBJ_1011", { kind: "retry", reason: "not_yet" }, alive],
    [
      "GSOBJ_PEOPLE1001",
      {
        kind: "retry",
        reason: "not_yet",
        error: "Gainsight does not know the event's person or company yet (200, result: false, GSOBJ_PEOPLE1001)",
      },
      alive,
    ],
    [
      "GU_2400",
      { kind: "hold", reason: "throttled", error: "Gainsight throttles requests (200, result: false, GU_2400)" },
      alive,
    ],
    ["GS_APIG_2404", { kind: "hold", reason: "throttled" }, alive],
    ["GS_APIG_2401", { kind: "hold", reason: "unauthorized" }, alive],
    ["GS_APIG_2402", { kind: "hold", reason: "unauthorized" }, alive],
    ["GS_APIG_1000", { kind: "hold", reason: "misconfigured" }, alive],
    [
      "GU_1101",
      { kind: "retry", reason: "server_error", error: "Gainsight failed (200, result: false, GU_1101)" },
      target,
    ],
    ["GU_9999", { kind: "retry", reason: "server_error" }, target],
    ["constructor", { kind: "retry", reason: "server_error" }, target],
    [undefined, { kind: "retry", reason: "server_error", error: "Gainsight failed (200, result: false)" }, target],
  ])("classifies result: false with the code %s as %j (target failure: %s)", (code, expected, failure) => {
    const verdict = classify({ kind: "response", status: 200, resultFalse: code === undefined ? {} : { code } });
    expect(verdict).toMatchObject({ ...expected, status: 200 });
    expect(isTargetFailure(verdict)).toBe(failure);
  });

  test("counts an aborted call neither as a failure of the event nor of the target", () => {
    const verdict = classify({ kind: "aborted" });
    expect([verdict, isTargetFailure(verdict)]).toEqual([{ kind: "aborted" }, false]);
  });

  test.each<[string, CallResult, object]>([
    ["a time-out", { kind: "timeout", timeoutMs: 10_000 }, { reason: "timeout", error: "No answer within 10000 ms" }],
    [
      "a broken connection",
      { kind: "network", code: "ECONNRESET", sent: true },
      { reason: "network", error: "The connection failed (ECONNRESET)" },
    ],
    [
      "a refused connection",
      { kind: "network", code: "ECONNREFUSED", sent: false },
      { reason: "network", error: "The connection failed (ECONNREFUSED)" },
    ],
  ])("retries after %s, as a failure of the target", (_, result, expected) => {
    const verdict = classify(result);
    expect(verdict).toEqual({ kind: "retry", ...expected });
    expect(isTargetFailure(verdict)).toBe(true);
  });
});
