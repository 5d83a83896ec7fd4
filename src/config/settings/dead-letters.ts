import { z } from "zod";

import { strictMap, wholeNumber } from "./kinds.ts";

export const deadLetterLimitDefault = { consecutive: 100, percent: 50, minEvents: 1_000, scope: "all" as const };
const eventCount = wholeNumber(1, 1_000_000_000);

/** The rules of the dead-letter limit, or false for no limit. */
export const deadLetterLimit = z.union(
  [
    z.literal(false),
    strictMap(
      {
        consecutive: eventCount.default(deadLetterLimitDefault.consecutive).meta({
          description: "How many dead letters in a row reach the limit; with `scope: cause` they are counted per topic",
        }),
        percent: wholeNumber(1, 100)
          .default(deadLetterLimitDefault.percent)
          .meta({ description: "Which percentage of dead letters within a minute reaches the limit" }),
        minEvents: eventCount
          .default(deadLetterLimitDefault.minEvents)
          .meta({ description: "With fewer events within a minute, the percentage does not count" }),
        scope: z.enum(["all", "cause"], { error: "'all' or 'cause'" }).default(deadLetterLimitDefault.scope).meta({
          description:
            "Which events wait at the limit. `all`: every event; `cause`: only events with the most frequent cause in their topic",
        }),
      },
      "",
    ),
  ],
  { error: "false, or a map such as { consecutive: 100, percent: 50, minEvents: 1000 }" },
);
