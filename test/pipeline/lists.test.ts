import { describe, expect, test } from "vitest";

import { originInList, originOf } from "../../src/core/outcome/headers.ts";
import { type Retry, dead, delivered } from "../../src/core/outcome/outcome.ts";
import { type Inlet, holdEvents } from "../../src/pipeline/work-item.ts";
import { arrivalOf, turns } from "./rig.ts";
import { acknowledge, answer, inFlight, outcomes, setUp } from "./set-up.ts";

type SetUp = ReturnType<typeof setUp>;

/** Takes up a list of these events, 100 bytes in all. */
const takeList = (
  rig: SetUp,
  names: readonly string[],
  { inlet = rig.inlet, offset = 0 }: { inlet?: Inlet; offset?: number } = {},
) => {
  const record = { key: null, value: new Uint8Array(100), headers: {}, timestamp: 0 };
  const origin = originOf({ topic: "events", partition: 0, offset: String(offset), timestamp: 0 });
  const arrivals = names.map((name, index) =>
    arrivalOf(name, offset, {
      record,
      past: { origin: originInList(origin, index), attempts: 0, firstFailedAt: undefined },
    }),
  );
  const slot = inlet.tracker.see(inlet.tracker.position, names.length);
  for (const held of slot ? holdEvents(inlet, slot, arrivals) : []) rig.stream.take(rig.assignment, held);
  rig.stream.pump();
  return arrivals;
};

describe("Stream, of lists of events", () => {
  test("keeps the bytes of a list in the budget until the last of its events is finished", async () => {
    const rig = setUp();
    takeList(rig, ["a1", "b1", "c1"]);
    expect([rig.budget.records, rig.budget.bytes]).toEqual([3, 100 + 3 * "a1".length]);
    await answer(rig, "a1", delivered);
    await answer(rig, "b1", delivered);
    expect([rig.budget.records, rig.budget.bytes]).toEqual([1, 100 + "a1".length]);
    await answer(rig, "c1", delivered);
    expect([rig.budget.records, rig.budget.bytes, rig.inlet.tracker.mark]).toEqual([0, 0, 1]);
  });

  test("counts a list as one bad record for the limit of dead letters, and gives each of its events a letter", async () => {
    const rig = setUp({ deadLetterLimit: { scope: "all", consecutive: 2, percent: 100, minEvents: 1_000 } });
    takeList(rig, ["a1", "b1", "c1", "d1"]);
    for (const name of ["a1", "b1", "c1", "d1"]) await answer(rig, name, dead("rejected", "No"));
    while (rig.writes.length > 0) await acknowledge(rig);
    expect([outcomes(rig).length, rig.floodHolds]).toEqual([4, []]);
  });

  test.each(["all", "cause"] as const)(
    "keeps the rest of a list once the limit is reached, with scope %s",
    async (scope) => {
      const rig = setUp({ deadLetterLimit: { scope, consecutive: 1, percent: 100, minEvents: 1_000 } });
      takeList(rig, ["a1", "b1"]);
      takeList(rig, ["x1"], { offset: 1 });
      await answer(rig, "a1", dead("rejected", "No"));
      await answer(rig, "x1", dead("rejected", "No"));
      await answer(rig, "b1", dead("rejected", "No"));
      expect(rig.writes.map(({ failure }) => failure.reason)).toEqual(
        scope === "all" ? ["rejected"] : ["rejected", "parked", "parked"],
      );
    },
  );

  test("forgets a list that was parked as one record, once its schema has come and its events are known", async () => {
    const rig = setUp();
    const meaning: Retry = { kind: "retry", reason: "unknown_schema", error: "The registry knows no schema 7" };
    rig.take(rig.inlet, arrivalOf("x", 0, { user: "events-0-0", meaning }), 0);
    await acknowledge(rig);
    expect(rig.chains.users).toBe(1);
    const [inlet] = rig.tiers;
    if (!inlet) throw new Error("No tier");
    takeList(rig, ["a1", "b1"], { inlet });
    await answer(rig, "a1", delivered);
    await answer(rig, "b1", delivered);
    await turns();
    expect([inFlight(rig), outcomes(rig), rig.chains.users]).toEqual([[], ["a1 delivered", "b1 delivered"], 0]);
  });
});
