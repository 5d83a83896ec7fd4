import { describe, expect, test } from "vitest";

import { sourcePositionInList, sourcePositionOf } from "../../src/core/outcome/headers.ts";
import { type Retry, dead, delivered } from "../../src/core/outcome/outcome.ts";
import { type OpenPartition, completeParkedList, createWorkItems } from "../../src/pipeline/work-item.ts";
import { parsedOf, turns } from "./rig.ts";
import { acknowledge, answer, inFlight, outcomes, setUp } from "./set-up.ts";

type SetUp = ReturnType<typeof setUp>;

/** Enqueues a list of these events, 100 bytes in all. */
const enqueueList = (
  rig: SetUp,
  names: readonly string[],
  { owned = rig.owned, offset = 0 }: { owned?: OpenPartition; offset?: number } = {},
) => {
  const record = { key: null, value: new Uint8Array(100), headers: {}, timestamp: 0 };
  const origin = sourcePositionOf({ topic: "events", partition: 0, offset: String(offset), timestamp: 0 });
  const parsedRecords = names.map((name, index) =>
    parsedOf(name, offset, {
      record,
      retryState: { source: sourcePositionInList(origin, index), attempts: 0, firstFailedAt: undefined },
    }),
  );
  const entry = owned.tracker.register(owned.tracker.position, names.length);
  completeParkedList(owned, parsedRecords);
  for (const item of entry ? createWorkItems(owned, entry, parsedRecords) : [])
    rig.scheduler.enqueue(rig.assignment, item);
  rig.scheduler.startReady();
  return parsedRecords;
};

describe("the pipeline, with lists of events", () => {
  test("reserves the bytes of a list until the last of its events is completed", async () => {
    const rig = setUp();
    enqueueList(rig, ["a1", "b1", "c1"]);
    expect([rig.budget.records, rig.budget.bytes]).toEqual([3, 100 + 3 * "a1".length]);
    await answer(rig, "a1", delivered);
    await answer(rig, "b1", delivered);
    expect([rig.budget.records, rig.budget.bytes]).toEqual([1, 100 + "a1".length]);
    await answer(rig, "c1", delivered);
    expect([rig.budget.records, rig.budget.bytes, rig.owned.tracker.committableOffset]).toEqual([0, 0, 1]);
  });

  test("counts a list once for the dead-letter limit, and writes a dead letter for each of its events", async () => {
    const rig = setUp({ limit: { scope: "all", consecutive: 2, percent: 100, minEvents: 1_000 } });
    enqueueList(rig, ["a1", "b1", "c1", "d1"]);
    for (const name of ["a1", "b1", "c1", "d1"]) await answer(rig, name, dead("rejected", "No"));
    while (rig.writes.length > 0) await acknowledge(rig);
    expect([outcomes(rig).length, rig.limitHolds]).toEqual([4, []]);
  });

  test.each(["all", "cause"] as const)(
    "keeps the other events of a list once the dead-letter limit is reached, with scope %s",
    async (scope) => {
      const rig = setUp({ limit: { scope, consecutive: 1, percent: 100, minEvents: 1_000 } });
      enqueueList(rig, ["a1", "b1"]);
      enqueueList(rig, ["x1"], { offset: 1 });
      await answer(rig, "a1", dead("rejected", "No"));
      await answer(rig, "x1", dead("rejected", "No"));
      await answer(rig, "b1", dead("rejected", "No"));
      expect(rig.writes.map(({ failure }) => failure.reason)).toEqual(
        scope === "all" ? ["rejected"] : ["rejected", "parked", "parked"],
      );
    },
  );

  test("removes the backlog entry of a list that was parked as one record, once its events are known", async () => {
    const rig = setUp();
    const decision: Retry = { kind: "retry", reason: "unknown_schema", error: "The registry knows no schema 7" };
    rig.enqueue(rig.owned, parsedOf("x", 0, { user: "events-0-0", decision }), 0);
    await acknowledge(rig);
    expect(rig.backlog.userCount).toBe(1);
    const [owned] = rig.retryTopics;
    if (!owned) throw new Error("No such retry topic");
    enqueueList(rig, ["a1", "b1"], { owned });
    await answer(rig, "a1", delivered);
    await answer(rig, "b1", delivered);
    await turns();
    expect([inFlight(rig), outcomes(rig), rig.backlog.userCount]).toEqual([[], ["a1 delivered", "b1 delivered"], 0]);
  });
});
