import { expect, it } from "vitest";

import { eventKeyOf, originOf } from "../../src/core/outcome/headers.ts";
import { delivered } from "../../src/core/outcome/outcome.ts";
import { arrivalOf } from "./rig.ts";
import { answer, inFlight, outcomes, setUp } from "./set-up.ts";

const place = { topic: "events", partition: 0, offset: "0" };

it("an event of a topic that was made anew is no copy of one that waits and had its partition and offset", async () => {
  const rig = setUp();
  const old = originOf({ ...place, timestamp: 7 });
  rig.chains.moved("other", eventKeyOf(old), { tier: 1, offset: 0 });
  rig.source("u1");
  expect(inFlight(rig)).toEqual(["u1"]);
  await answer(rig, "u1", delivered);
  expect(outcomes(rig)).toEqual(["u1 delivered"]);
  expect(rig.chains.lengthOf("other")).toBe(1);

  const past = { origin: old, attempts: 1, firstFailedAt: 7 };
  rig.tier(1, arrivalOf("other", 0, { past, user: "other" }), 0);
  expect(inFlight(rig)).toEqual(["other"]);
  await answer(rig, "other", delivered);
  expect(rig.chains.lengthOf("other")).toBe(0);
});

it("times that no date can say are the same before and after they were written as text", () => {
  for (const timestamp of [Number.NaN, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 0, 1_700_000_000_000])
    expect(eventKeyOf({ id: "a", timestamp })).toMatch(/^a@(?:-?8640000000000000|0|1700000000000)$/);
});
