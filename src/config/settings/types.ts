import { isDeliveredType, toComparableType } from "../../core/event/event-types.ts";
import { listOf, optionalSection, nonEmptyText } from "./kinds.ts";

const want = "a list of types as text, such as [heartbeat], without identify, track and group";

const skippedType = nonEmptyText(want).refine(
  (name) => toComparableType(name) !== "" && !isDeliveredType(toComparableType(name)),
  {
    error: want,
  },
);

/** Further event types to skip. */
export const skippedTypes = optionalSection(listOf(skippedType, want), [], {
  description: "Event types to skip, besides the skipped types of Segment and RudderStack. Case does not count",
  examples: [["heartbeat"]],
});
