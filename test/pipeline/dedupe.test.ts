import { describe, expect, test } from "vitest";

import { delivered } from "../../src/core/outcome/outcome.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import { parsedOf, turns } from "./rig.ts";
import { acknowledge, answer, exhaust, inFlight, outcomes, setUp } from "./set-up.ts";

type SetUp = ReturnType<typeof setUp>;

let offsets = 100;
const send = (rig: SetUp, name: string, messageId: string | undefined): ParsedRecord => {
  const offset = offsets++;
  const parsed = parsedOf(name, offset, { messageId });
  rig.enqueue(rig.owned, parsed, offset);
  return parsed;
};

describe("the pipeline, with events that were sent twice", () => {
  test("delivers one of two events of the same messageId, and skips the other as a duplicate", async () => {
    const rig = setUp();
    send(rig, "u1", "m1");
    send(rig, "u2", "m1");
    await answer(rig, "u1", delivered);
    await turns();
    expect(inFlight(rig)).toEqual([]);
    expect(outcomes(rig)).toEqual(["u1 delivered", "u2 skipped"]);
    expect(rig.ended.at(-1)?.outcome).toEqual({ kind: "skipped", reason: "duplicate" });
  });

  test("delivers the second copy if the first was not delivered", async () => {
    const rig = setUp();
    send(rig, "u1", "m1");
    await answer(rig, "u1", { kind: "dead", reason: "rejected", error: "No" });
    await acknowledge(rig);
    send(rig, "u2", "m1");
    await answer(rig, "u2", delivered);
    expect(outcomes(rig)).toEqual(["u1 dead", "u2 delivered"]);
  });

  test("makes the second copy wait for the failed first one, and skips it once that one is delivered", async () => {
    const rig = setUp();
    const first = send(rig, "u1", "m1");
    await exhaust(rig, "u1");
    await acknowledge(rig);
    const second = send(rig, "u2", "m1");
    await acknowledge(rig);
    rig.tier(0, first, 0);
    rig.tier(0, second, 1);
    await answer(rig, "u1", delivered);
    await turns();
    expect([inFlight(rig), outcomes(rig), rig.backlog.userCount]).toEqual([[], ["u1 delivered", "u2 skipped"], 0]);
  });

  test("delivers every event that has no messageId", async () => {
    const rig = setUp();
    send(rig, "u1", undefined);
    send(rig, "u2", undefined);
    await answer(rig, "u1", delivered);
    await answer(rig, "u2", delivered);
    expect(outcomes(rig)).toEqual(["u1 delivered", "u2 delivered"]);
  });
});
