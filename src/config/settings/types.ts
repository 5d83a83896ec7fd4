import { deliveredTypes, plainType } from "../../core/event/event-types.ts";
import { listOf, part, wantedText } from "./kinds.ts";

const want = "a list of types as text, such as [heartbeat]; identify, track and group are none of them";

const skippedType = wantedText(want).refine((name) => plainType(name) !== "" && !deliveredTypes.has(plainType(name)), {
  error: want,
});

/** Types of our own producers that are skipped. */
export const skippedTypes = part(listOf(skippedType, want), [], {
  description:
    "More types of events to skip, besides those that Segment's and RudderStack's libraries know. Case does not count",
  examples: [["heartbeat"]],
});
