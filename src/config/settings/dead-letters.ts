import { z } from "zod";

import { mapOf, wholeOf } from "./kinds.ts";

export const limitDefault = { consecutive: 100, percent: 50, minEvents: 1_000, scope: "all" as const };
const many = wholeOf(1, 1_000_000_000);

/** How many dead letters are too many, and who waits then. */
export const deadLetterLimit = z.union(
  [
    z.literal(false),
    mapOf(
      {
        consecutive: many
          .default(limitDefault.consecutive)
          .meta({ description: "Dead letters in a row; with scope cause in a topic" }),
        percent: wholeOf(1, 100)
          .default(limitDefault.percent)
          .meta({ description: "Dead letters per hundred events within a minute" }),
        minEvents: many
          .default(limitDefault.minEvents)
          .meta({ description: "Events within a minute below which the percentage does not count" }),
        scope: z.enum(["all", "cause"], { error: "'all' or 'cause'" }).default(limitDefault.scope).meta({
          description:
            "Who waits then. all: everything; cause: only events of the cause that makes most dead letters of its topic",
        }),
      },
      "",
    ),
  ],
  { error: "false, or a map such as { consecutive: 100, percent: 50, minEvents: 1000 }" },
);
