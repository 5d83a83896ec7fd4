import { describe, expect, it } from "vitest";

import { type Hold, delivered } from "../../src/core/outcome/outcome.ts";
import { parsedOf } from "./rig.ts";
import { answer, inFlight, setUp } from "./set-up.ts";

const down: Hold = { kind: "hold", reason: "target_down", error: "Gainsight failed with status 500", status: 500 };

const probe = (rig: ReturnType<typeof setUp>): string[] => {
  rig.gate.state = "probe";
  rig.scheduler.startReady();
  return inFlight(rig);
};

/** A pipeline on hold, with these events waiting. */
const setUpHeld = (...names: string[]) => {
  const rig = setUp();
  rig.gate.isHeld = true;
  rig.gate.state = "closed";
  rig.source(...names);
  return rig;
};

describe("the pipeline, probing", () => {
  it("probes with another event each time: a single failing event must not hold the others forever", async () => {
    const rig = setUpHeld("a1", "b1", "c1");
    expect(probe(rig)).toEqual(["a1"]);
    await answer(rig, "a1", down);
    expect(probe(rig)).toEqual(["b1"]);
    await answer(rig, "b1", down);
    expect(probe(rig)).toEqual(["c1"]);
  });

  it("probes first with events that have not failed before", async () => {
    const rig = setUpHeld();
    for (const [offset, name] of ["p1", "q1"].entries()) {
      const { retryState } = parsedOf(name, 90 + offset);
      rig.tier(0, parsedOf(name, 90 + offset, { retryState: { ...retryState, attempts: 2 } }), offset);
    }
    rig.source("a1");
    expect(probe(rig)).toEqual(["a1"]);
    await answer(rig, "a1", down);
    expect(probe(rig)).toEqual(["p1"]);
    await answer(rig, "p1", delivered);
    expect(rig.ended.map(({ name }) => name)).toEqual(["p1"]);
  });
});
