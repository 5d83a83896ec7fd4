import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { DecisionRules } from "../../../src/core/decide.ts";
import { normaliseEvent } from "../../../src/core/event/normal-form.ts";
import type { Json, JsonObject } from "../../../src/core/json/json.ts";
import { sentAs } from "../no-rules.ts";

const identify = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;
const events = [
  identify,
  { ...identify, type: "track", event: "Opened" },
  { ...identify, type: "group", groupId: "g1" },
];

const shapes = {
  plain: (value: Json) => value,
  text: (value: Json) => JSON.stringify(value),
  "text twice": (value: Json) => JSON.stringify(JSON.stringify(value)),
  list: (value: Json) => [1, value],
  "list as text": (value: Json) => JSON.stringify(["x", value]),
  "list of texts": (value: Json) => ["x", JSON.stringify(value)],
} as const;
type Shape = keyof typeof shapes;

/** One key of a path, the other content of its object, and the shape in which the object is written. */
interface Level {
  readonly key: string;
  readonly shape: Shape;
  readonly others: JsonObject;
  readonly isWild: boolean;
}

const levelIn = (...allowed: readonly Shape[]): fc.Arbitrary<Level> =>
  fc.record({
    key: fc.constantFrom("a", "b", "Last Name", "email", "traits", "__proto__"),
    shape: fc.constantFrom(...allowed),
    others: fc.dictionary(fc.constantFrom("c", "toString"), fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.string()), {
      maxKeys: 2,
    }),
    isWild: fc.boolean(),
  });

/** The first key is in a part of the event, which is an object or its JSON text. */
const levels = fc
  .tuple(
    levelIn("plain", "text", "text twice"),
    fc.array(levelIn("plain", "plain", "text", "text twice", "list", "list as text", "list of texts"), {
      maxLength: 3,
    }),
  )
  .map(([first, deeper]) => [first].concat(deeper));

/** The path of a rule and the place of the value. A rule on traits also applies to the traits of the context. */
const places = fc.constantFrom(
  ["traits", "traits"],
  ["traits", "context.traits"],
  ["context.traits", "context.traits"],
  ["context.device", "context.device"],
  ["context", "context"],
  ["properties", "properties"],
);

/** Parsed from JSON text, in which `__proto__` is an ordinary key. */
const holding = ({ key, others }: Level, value: Json): Json =>
  JSON.parse(
    JSON.stringify({ ...others, "\0": value }).replace(String.raw`"\u0000":`, `${JSON.stringify(key)}:`),
  ) as Json;

/** An object with the value at the end of a path. The shape of a level is the shape of the object with its key. */
const built = (value: Json, way: readonly Level[]): Json =>
  way.reduceRight<Json>((inner, each) => shapes[each.shape](holding(each, inner)), value);

/** At a list, `*` would stand for the item and not for the key. */
const keyOf = ({ key, shape, isWild }: Level): string => (isWild && !shape.includes("list") ? "*" : key);

const rulesOn = (path: string): readonly Partial<DecisionRules>[] => [
  { pii: { drop: [path], hash: [] } },
  { pii: { drop: [], hash: [path] } },
  { filters: [{ action: "drop_property", path }] },
];

const secret = "S3cretValue";

test("no value that the rules drop or hash is sent, wherever it is in the event", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...events),
      places,
      fc.constantFrom<Shape>("plain", "text"),
      levels,
      (event, [start = "", place = ""], shape, path) => {
        const [root = "", ...inner] = place.split(".");
        const way = [...inner.map((key) => ({ key, shape, others: {}, isWild: false })), ...path];
        const withSecret = { ...event, [root]: built(secret, way) };
        expect(JSON.stringify(withSecret)).toContain(secret);
        for (const rules of rulesOn([start, ...path.map(keyOf)].join(".")))
          expect(JSON.stringify(sentAs(withSecret, rules))).not.toContain(secret);
        const normal = normaliseEvent(withSecret, { recordTime: -1, wallNow: () => Date.UTC(2026, 0, 1) }).event;
        expect(normaliseEvent(normal, { recordTime: -1, wallNow: () => Date.UTC(2026, 0, 1) }).event).toEqual(normal);
      },
    ),
    { numRuns: 1_000, seed: 20_261_129 },
  );
});
