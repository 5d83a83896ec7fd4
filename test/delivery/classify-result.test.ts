import { describe, expect, it } from "vitest";

import type { Verdict } from "../../src/core/outcome/outcome.ts";
import type { ResultClassifierOptions } from "../../src/delivery/classify-result.ts";
import { createGainsight } from "../../src/delivery/gainsight.ts";
import type { Standin } from "../../src/standin/standin.ts";
import { accessKey, sampleEvent, withStandin } from "../standin/with-standin.ts";
import { createTestClock } from "./test-clock.ts";

const body = Buffer.from(JSON.stringify(sampleEvent));

interface Parts {
  readonly standin: Standin;
  readonly attempt: () => Promise<Verdict>;
  readonly holds: string[];
  readonly reported: object[];
  readonly held: () => readonly string[];
  readonly advance: (ms: number) => void;
}

/** Gainsight's client over loopback against a stand-in. */
const withGainsight = (
  failOnResultFalse: ResultClassifierOptions["failOnResultFalse"],
  story: (parts: Parts) => Promise<void>,
): Promise<void> =>
  withStandin(async (standin) => {
    const { now, schedule, advance } = createTestClock();
    const [holds, reported]: [string[], object[]] = [[], []];
    const gainsight = createGainsight({
      concurrency: 8,
      timeoutMs: 2_000,
      userAgent: "gainstream/test",
      monotonicNow: now,
      schedule,
      random: () => 0,
      breaker: { errorPercent: 50, minCalls: 3, windowMs: 10_000, probeMinMs: 40, probeMaxMs: 40 },
      url: standin.url,
      accessKey: { read: () => accessKey },
      watchFile: () => () => {},
      onMaySend: () => {},
      onHold: ({ reason, isHeld }) => void (isHeld && holds.push(reason)),
      onCall: () => {},
      failOnResultFalse,
      onResultFalse: (answer) => void reported.push(answer),
    });
    const attempt = (): Promise<Verdict> =>
      new Promise((resolve) => {
        const call = { kind: "call", type: "track", body } as const;
        gainsight.delivery.attempt(call, { isFirst: true, refusalHistory: "never" }, resolve);
      });
    try {
      await story({ standin, attempt, holds, reported, advance, held: () => gainsight.delivery.holds });
    } finally {
      await gainsight.close();
    }
  });

describe("a 200 with result: false", () => {
  it.each<[code: string | undefined, fails: boolean, verdict: { kind: string; reason?: string }]>([
    [undefined, false, { kind: "delivered" }],
    [undefined, true, { kind: "retry", reason: "server_error" }],
    ["GSOBJ_1002", false, { kind: "delivered" }],
    ["GSOBJ_1002", true, { kind: "dead", reason: "rejected" }],
    ["GS_APIG_2404", true, { kind: "hold", reason: "throttled" }],
    ["GS_APIG_2401", true, { kind: "hold", reason: "unauthorized" }],
  ])("and the code %s is reported; with failOnResultFalse %s the verdict is %j", (errorCode, fails, expected) =>
    withGainsight(
      () => fails,
      async ({ standin, attempt, holds, reported }) => {
        standin.faults.add({ kind: "body-false", ...(errorCode !== undefined && { errorCode }) });
        expect(await attempt()).toMatchObject(expected);
        expect(reported).toEqual([{ status: 200, code: errorCode ?? "GU_1101", requestId: expect.any(String) }]);
        expect(holds).toEqual(expected.kind === "hold" ? [expected.reason] : []);
      },
    ),
  );

  it.each(["GS_APIG_2401", "GS_APIG_2402", "GS_APIG_1000", "GU_2400"])(
    "and the code %s holds until a probe succeeds, or until the setting changes",
    async (errorCode) => {
      for (const ending of ["answer", "setting"] as const) {
        let fails = true;
        await withGainsight(
          () => fails,
          async ({ standin, attempt, held, advance }) => {
            standin.faults.add({ kind: "body-false", errorCode });
            await attempt();
            expect(held()).toHaveLength(1);
            advance(60_000);
            await attempt();
            expect(held()).toHaveLength(1);
            if (ending === "answer") await standin.faults.clear();
            else fails = false;
            advance(60_000);
            expect(await attempt()).toEqual({ kind: "delivered" });
            expect(held()).toEqual([]);
          },
        );
      }
    },
  );

  it("opens the breaker as a 500 does, if every response is one", () =>
    withGainsight(
      () => true,
      async ({ standin, attempt, holds }) => {
        standin.faults.add({ kind: "body-false" });
        const verdicts = [await attempt(), await attempt(), await attempt()];
        expect(verdicts.map(({ kind }) => kind)).toEqual(["retry", "retry", "hold"]);
        expect(holds).toEqual(["target_down"]);
      },
    ));

  it("is classified by the current setting, which no other response depends on", () => {
    let fails = true;
    return withGainsight(
      () => fails,
      async ({ standin, attempt }) => {
        expect(await attempt()).toEqual({ kind: "delivered" });
        standin.faults.add({ kind: "body-false", errorCode: "GSOBJ_1002" });
        expect(await attempt()).toMatchObject({ kind: "dead" });
        fails = false;
        expect(await attempt()).toEqual({ kind: "delivered" });
      },
    );
  });
});
