import { z } from "zod";

/** The limit of entries in a list: more than anyone needs, and fast to search. */
export const maxItems = 1_000;

const maxTextLength = 1_000;

/** Text that is not empty. `want` is the text of the error. */
export const nonEmptyText = (want: string) =>
  z.string({ error: want }).min(1, { error: want }).max(maxTextLength, { error: want });

export const listOf = <Item extends z.ZodType>(item: Item, want: string, max = maxItems) =>
  z.array(item, { error: want }).max(max, { error: `at most ${max} entries` });

export const wholeNumber = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};

/** A map that takes no other names than those of `shape`. */
export const strictMap = <Shape extends z.ZodRawShape>(shape: Shape, want: string) =>
  z.strictObject(shape, {
    error: ({ code }) => (code === "unrecognized_keys" ? `known settings are ${Object.keys(shape).join(", ")}` : want),
  });

/** A top-level setting. If it is missing or has no value, it is `fallback`. `meta` is for editors and the documentation. */
export const optionalSection = <T>(schema: z.ZodType<T>, fallback: NoInfer<T>, meta: z.GlobalMeta) =>
  schema
    .nullish()
    .transform((value) => value ?? fallback)
    .meta({ default: fallback, ...meta });
