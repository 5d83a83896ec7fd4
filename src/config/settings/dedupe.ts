import { z } from "zod";

import { parseDuration } from "../duration.ts";
import { strictMap, wholeNumber } from "./kinds.ts";

const dayMs = 86_400_000;
const windowExpectation = "a duration from 1s to 30d, such as 24h";

export const dedupeDefault = { windowMs: dayMs, maxEvents: 100_000 };

const windowMs = z.string({ error: windowExpectation }).transform((text, context) => {
  const ms = parseDuration(text) ?? 0;
  if (ms >= 1_000 && ms <= 30 * dayMs) return ms;
  context.issues.push({ code: "custom", message: windowExpectation, input: text });
  return z.NEVER;
});

/** How long the service remembers a delivered messageId, and how many; or false for no deduplication. */
export const dedupe = z.union(
  [
    z.literal(false),
    strictMap(
      {
        window: windowMs.default(dedupeDefault.windowMs).meta({
          description: "How long the service remembers a `messageId`",
          default: "24h",
          examples: ["24h", "90m"],
        }),
        maxEvents: wholeNumber(1, 1_000_000)
          .default(dedupeDefault.maxEvents)
          .meta({ description: "How many of the newest `messageId`s the service remembers per partition" }),
      },
      "",
    ).transform(({ window, maxEvents }) => ({ windowMs: window, maxEvents })),
  ],
  { error: "false, or a map such as { window: 24h, maxEvents: 100000 }" },
);
