import { z } from "zod";

/** As many entries as any list may have: enough for everybody, and looked through in no time. */
export const maxItems = 1_000;

const maxText = 1_000;

/** Text that is not empty. `want`: what a mistake is answered with. */
export const wantedText = (want: string) =>
  z.string({ error: want }).min(1, { error: want }).max(maxText, { error: want });

export const listOf = <Item extends z.ZodType>(item: Item, want: string, max = maxItems) =>
  z.array(item, { error: want }).max(max, { error: `at most ${max} entries` });

export const wholeOf = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};

/** A map that takes these names and no others. */
export const mapOf = <Shape extends z.ZodRawShape>(shape: Shape, want: string) =>
  z.strictObject(shape, {
    error: ({ code }) =>
      code === "unrecognized_keys" ? `one of the known ones: ${Object.keys(shape).join(", ")}` : want,
  });

/** A part of the file: left out, or named without a value, it is its default. The rest is for editors. */
export const part = <T>(schema: z.ZodType<T>, fallback: NoInfer<T>, meta: z.GlobalMeta) =>
  schema
    .nullish()
    .transform((given) => given ?? fallback)
    .meta({ default: fallback, ...meta });
