import { expect, it } from "vitest";

import { eventKeyOf, sourcePositionOf } from "../../src/core/outcome/headers.ts";
import { delivered } from "../../src/core/outcome/outcome.ts";
import { parsedOf } from "./rig.ts";
import { answer, inFlight, outcomes, setUp } from "./set-up.ts";

const place = { topic: "events", partition: 0, offset: "0" };

it("an event of a recreated topic is not taken for a waiting event of the old topic with the same partition and offset", async () => {
  const rig = setUp();
  const old = sourcePositionOf({ ...place, timestamp: 7 });
  rig.backlog.upsert("other", eventKeyOf(old), { tier: 1, offset: 0 });
  rig.source("u1");
  expect(inFlight(rig)).toEqual(["u1"]);
  await answer(rig, "u1", delivered);
  expect(outcomes(rig)).toEqual(["u1 delivered"]);
  expect(rig.backlog.lengthOf("other")).toBe(1);

  const retryState = { source: old, attempts: 1, firstFailedAt: 7 };
  rig.tier(1, parsedOf("other", 0, { retryState, user: "other" }), 0);
  expect(inFlight(rig)).toEqual(["other"]);
  await answer(rig, "other", delivered);
  expect(rig.backlog.lengthOf("other")).toBe(0);
});

it("a timestamp outside the range of dates is the same before and after it is written as text", () => {
  for (const timestamp of [Number.NaN, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 0, 1_700_000_000_000])
    expect(eventKeyOf({ id: "a", timestamp })).toMatch(/^a@(?:-?8640000000000000|0|1700000000000)$/);
});
