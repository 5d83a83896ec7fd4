import type { ClusterAdmin, TopicShape } from "./admin.ts";

export interface TopicsOptions {
  readonly sources: readonly string[];
  /** The retry tiers. */
  readonly tiers: readonly string[];
  readonly deadLetter: string;
  /** Whether missing tiers and dead-letter topics may be made. Sources never are. */
  readonly create: boolean;
}

export type TopicsState =
  | { readonly kind: "ready"; readonly partitions: number; readonly created: readonly string[] }
  /** Not yet: somebody has to make these topics. */
  | { readonly kind: "missing"; readonly topics: readonly string[] }
  /** Never: they do not fit together, and only a person can mend that. */
  | { readonly kind: "unfit"; readonly error: string };

const unevenness = (shapes: readonly TopicShape[]): string | undefined => {
  if (new Set(shapes.map(({ partitions }) => partitions)).size <= 1) return undefined;
  const found = shapes.map(({ topic, partitions }) => `${topic} has ${partitions}`).join(", ");
  return (
    `Source topics and retry tiers need the same number of partitions, since a record waits on the partition it came from: ${found}. ` +
    "Add partitions to the smaller ones (kafka-topics.sh --alter --partitions), or name other topics"
  );
};

const shapesOf = async (admin: ClusterAdmin, topics: readonly string[]): Promise<(TopicShape | undefined)[]> => {
  const shapes: (TopicShape | undefined)[] = [];
  for (const topic of topics) shapes.push(await admin.shape(topic));
  return shapes;
};

const missingOf = (topics: readonly string[], shapes: readonly (TopicShape | undefined)[]): string[] =>
  topics.filter((_, index) => !shapes[index]);

/** Looks whether all topics are there and fit together, and makes the missing ones of ours where that is allowed. */
export const ensureTopics = async (admin: ClusterAdmin, options: TopicsOptions): Promise<TopicsState> => {
  const { sources, tiers, deadLetter, create } = options;
  const sourceShapes = await shapesOf(admin, sources);
  const [first] = sourceShapes;
  const missingSources = missingOf(sources, sourceShapes);
  if (missingSources.length > 0 || !first) return { kind: "missing", topics: missingSources };
  const ours = [...tiers, deadLetter];
  const missing = missingOf(ours, await shapesOf(admin, ours));
  if (missing.length > 0 && !create) return { kind: "missing", topics: missing };
  await admin.create(missing.map((topic) => ({ ...first, topic })));
  const paired = await shapesOf(admin, [...sources, ...tiers]);
  const error = unevenness(paired.filter((shape) => shape !== undefined));
  return error === undefined
    ? { kind: "ready", partitions: first.partitions, created: missing }
    : { kind: "unfit", error };
};
