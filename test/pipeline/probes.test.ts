import { describe, expect, it } from "vitest";

import { type Hold, delivered } from "../../src/core/outcome/outcome.ts";
import { arrivalOf } from "./rig.ts";
import { answer, inFlight, setUp } from "./set-up.ts";

const down: Hold = { kind: "hold", reason: "target_down", error: "Gainsight failed with status 500", status: 500 };

const probe = (rig: ReturnType<typeof setUp>): string[] => {
  rig.gate.state = "probe";
  rig.stream.pump();
  return inFlight(rig);
};

/** A stream that is held, with these events waiting. */
const setUpHeld = (...names: string[]) => {
  const rig = setUp();
  rig.gate.isHeld = true;
  rig.gate.state = "closed";
  rig.source(...names);
  return rig;
};

describe("Stream, probing", () => {
  it("asks each time with another event: one that alone fails must not hold the others for ever", async () => {
    const rig = setUpHeld("a1", "b1", "c1");
    expect(probe(rig)).toEqual(["a1"]);
    await answer(rig, "a1", down);
    expect(probe(rig)).toEqual(["b1"]);
    await answer(rig, "b1", down);
    expect(probe(rig)).toEqual(["c1"]);
  });

  it("asks first with events that have not failed before", async () => {
    const rig = setUpHeld();
    for (const [offset, name] of ["p1", "q1"].entries()) {
      const { past } = arrivalOf(name, 90 + offset);
      rig.tier(0, arrivalOf(name, 90 + offset, { past: { ...past, attempts: 2 } }), offset);
    }
    rig.source("a1");
    expect(probe(rig)).toEqual(["a1"]);
    await answer(rig, "a1", down);
    expect(probe(rig)).toEqual(["p1"]);
    await answer(rig, "p1", delivered);
    expect(rig.ended.map(({ name }) => name)).toEqual(["p1"]);
  });
});
