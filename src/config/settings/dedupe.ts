import { z } from "zod";

import { parseDuration } from "../duration.ts";
import { mapOf, wholeOf } from "./kinds.ts";

const dayMs = 86_400_000;
const windowWant = "a duration from 1s to 30d, such as 24h";

export const dedupeDefault = { windowMs: dayMs, maxEvents: 100_000 };

const windowMs = z.string({ error: windowWant }).transform((text, context) => {
  const ms = parseDuration(text) ?? 0;
  if (ms >= 1_000 && ms <= 30 * dayMs) return ms;
  context.issues.push({ code: "custom", message: windowWant, input: text });
  return z.NEVER;
});

/** How long a delivered message id is remembered, and how many. */
export const dedupe = z.union(
  [
    z.literal(false),
    mapOf(
      {
        window: windowMs
          .default(dedupeDefault.windowMs)
          .meta({ description: "For how long", default: "24h", examples: ["24h", "90m"] }),
        maxEvents: wholeOf(1, 1_000_000)
          .default(dedupeDefault.maxEvents)
          .meta({ description: "For how many of the newest events of a partition" }),
      },
      "",
    ).transform(({ window, maxEvents }) => ({ windowMs: window, maxEvents })),
  ],
  { error: "false, or a map such as { window: 24h, maxEvents: 100000 }" },
);
