import { z } from "zod";

import { strictMap, wholeNumber } from "./kinds.ts";

export const deadLetterLimitDefault = { consecutive: 100, percent: 50, minEvents: 1_000, scope: "all" as const };
const eventCount = wholeNumber(1, 1_000_000_000);

/** How many dead letters are too many, and who waits then. */
export const deadLetterLimit = z.union(
  [
    z.literal(false),
    strictMap(
      {
        consecutive: eventCount
          .default(deadLetterLimitDefault.consecutive)
          .meta({ description: "Dead letters in a row; with scope cause in a topic" }),
        percent: wholeNumber(1, 100)
          .default(deadLetterLimitDefault.percent)
          .meta({ description: "Dead letters per hundred events within a minute" }),
        minEvents: eventCount
          .default(deadLetterLimitDefault.minEvents)
          .meta({ description: "Events within a minute below which the percentage does not count" }),
        scope: z.enum(["all", "cause"], { error: "'all' or 'cause'" }).default(deadLetterLimitDefault.scope).meta({
          description:
            "Who waits then. all: everything; cause: only events of the cause that makes most dead letters of its topic",
        }),
      },
      "",
    ),
  ],
  { error: "false, or a map such as { consecutive: 100, percent: 50, minEvents: 1000 }" },
);
