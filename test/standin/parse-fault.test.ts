import { describe, expect, it } from "vitest";

import { parseFault } from "../../src/standin/parse-fault.ts";

describe("parseFault()", () => {
  it.each([
    { kind: "outage", mode: "503" },
    { kind: "outage", mode: "hang", count: 3 },
    { kind: "outage", mode: "reset", ratio: 0.5 },
    { kind: "outage", mode: "refuse", durationMs: 1_000 },
    { kind: "latency", ms: 10, jitterMs: 5, match: { type: "track" } },
    { kind: "status", status: 429, retryAfter: "30", body: "html", durationMs: 1 },
    { kind: "revoked-key" },
    { kind: "body-false", errorCode: "GSOBJ_1002", count: 1 },
    { kind: "body-false", match: { userId: "u", event: "e", accountId: "a", messageId: "m" } },
    { kind: "slow-body", ms: 0 },
    { kind: "oversize-body", bytes: 2 },
    { kind: "redirect" },
  ])("accepts %j", (value) => {
    expect(parseFault(value)).toEqual(value);
  });

  it.each<[unknown, string]>([
    [undefined, "Cannot read the fault: want one JSON object with 'kind', one of outage, latency"],
    [[], "Cannot read the fault: want one JSON object"],
    [{}, "Cannot use the fault's 'kind': got nothing, want one of outage"],
    [{ kind: "toString" }, "Cannot use the fault's 'kind': got '\"toString\"', want one of outage"],
    [{ kind: "outage" }, "Cannot use the fault's 'mode': got nothing, want one of 503, refuse, hang, reset"],
    [{ kind: "outage", mode: "off" }, "Cannot use the fault's 'mode': got '\"off\"'"],
    [
      { kind: "outage", mode: "refuse" },
      "Cannot refuse connections: got no durationMs, want durationMs and nothing else",
    ],
    [{ kind: "outage", mode: "refuse", durationMs: 5, count: 1 }, "Cannot refuse connections: got 'count'"],
    [{ kind: "latency", ms: -5 }, "Cannot use the fault's 'ms': got '-5', want a whole number from 0 to 3600000"],
    [{ kind: "latency", ms: "5" }, "Cannot use the fault's 'ms': got '\"5\"'"],
    [{ kind: "latency", ms: null }, "Cannot use the fault's 'ms': got 'null'"],
    [
      { kind: "status", status: 200 },
      "Cannot use the fault's 'status': got '200', want a whole number from 300 to 599",
    ],
    [{ kind: "status", status: 429, retryAfter: 30 }, "Cannot use the fault's 'retryAfter': got '30', want text"],
    [{ kind: "status", status: 429, retryAfter: "1\r\nx: y" }, "Cannot use the fault's 'retryAfter'"],
    [{ kind: "body-false", errorCode: "a b" }, "Cannot use the fault's 'errorCode': got '\"a b\"', want a code"],
    [{ kind: "redirect", ratio: 1.1 }, "Cannot use the fault's 'ratio': got '1.1', want a number from 0 to 1"],
    [{ kind: "redirect", count: 0 }, "Cannot use the fault's 'count': got '0'"],
    [{ kind: "redirect", match: {} }, "Cannot use the fault's 'match': got '{}', want an object of texts"],
    [{ kind: "redirect", match: { user: "u" } }, "Cannot use the fault's 'match'"],
    [{ kind: "redirect", ms: 5 }, "Cannot use the fault: got 'ms', redirect takes durationMs, count, ratio, match"],
  ])("rejects %j with a sentence", (value, sentence) => {
    expect(() => parseFault(value)).toThrow(sentence);
  });
});
