import type { ClusterAdmin } from "../admin.ts";
import { isOwnError } from "../own-errors.ts";
import { type Principal, explainRefusal, topicRight } from "./refusals.ts";
import type { TopicState } from "./topic-metadata.ts";

export interface TopicsOptions {
  readonly sources: readonly string[];
  /** The retry tiers. */
  readonly tiers: readonly string[];
  readonly deadLetter: string;
  /** Whether missing tiers and dead-letter topics may be made, and tiers given more partitions. Sources are never touched. */
  readonly create: boolean;
  /** For the commands that are proposed. */
  readonly principal: Principal;
}

export interface TopicsReport {
  /** Somebody has to make these. */
  readonly missing: readonly string[];
  /** Why the cluster does not tell of a topic, or did not make one. */
  readonly problems: readonly unknown[];
  /** Why it did not give partitions to the smaller ones. */
  readonly notGrown?: unknown;
  readonly created: readonly string[];
  readonly grown: readonly string[];
  /** For each source, how many of its partitions are not read: a record waits on the partition number that it came from. */
  readonly unread: readonly { readonly topic: string; readonly partitions: number }[];
  /** How to have those read. */
  readonly warnings: readonly string[];
}

const absent = "UNKNOWN_TOPIC_OR_PARTITION";

/** Runs one of the changes that are allowed. What the cluster refuses is given back, and the rest goes on. */
const attempt = async (change: () => Promise<void>): Promise<unknown> => {
  try {
    await change();
    return undefined;
  } catch (error) {
    if (isOwnError(error)) throw error;
    return error;
  }
};

const largestOf = (states: readonly TopicState[]): number => Math.max(0, ...states.map(({ partitions }) => partitions));

interface Topics {
  readonly all: readonly TopicState[];
  /** Those of each kind that are there. */
  readonly sources: readonly TopicState[];
  readonly tiers: readonly TopicState[];
  readonly missing: readonly string[];
}

const look = async (admin: Pick<ClusterAdmin, "topics">, options: TopicsOptions): Promise<Topics> => {
  const all = await admin.topics([...options.sources, ...options.tiers, options.deadLetter]);
  const there = all.filter(({ error }) => error === undefined);
  const missing = all.filter(({ error }) => error === absent).map(({ topic }) => topic);
  const [sources, tiers] = [options.sources, options.tiers].map((names) =>
    there.filter(({ topic }) => names.includes(topic)),
  );
  return { all, sources: sources ?? [], tiers: tiers ?? [], missing };
};

/** Every retry topic is to be as large as the largest topic. */
const planChanges = ({ sources, tiers, missing }: Topics, options: TopicsOptions) => {
  const [model] = [...sources, ...tiers];
  if (!options.create || !model) return { toMake: [], toGrow: [] };
  const partitions = largestOf([...sources, ...tiers]);
  const toMake = missing
    .filter((topic) => !options.sources.includes(topic))
    .map((topic) => ({ topic, partitions, replication: model.replication }));
  const toGrow = tiers.filter((tier) => tier.partitions < partitions).map(({ topic }) => ({ topic, partitions }));
  return { toMake, toGrow };
};

const unreadOf = (
  { sources, tiers }: Topics,
  { principal, refusal }: { principal: Principal; refusal: string | undefined },
): Pick<TopicsReport, "unread" | "warnings"> => {
  const most = largestOf(sources);
  const read = Math.min(...tiers.map(({ partitions }) => partitions), most);
  const unread = sources.map(({ topic, partitions }) => ({ topic, partitions: Math.max(0, partitions - read) }));
  const command = `kafka-topics.sh --bootstrap-server ${principal.brokers.join(",")} --alter --topic`;
  const commands = tiers
    .filter(({ partitions }) => partitions < most)
    .map(({ topic }) => `${command} ${topic} --partitions ${most}`);
  const warnings = unread
    .filter(({ partitions }) => partitions > 0)
    .map(
      ({ topic, partitions }) =>
        `${partitions} of the partitions of ${topic} are not read, because not all retry topics have as many: ` +
        commands.join("; "),
    );
  return { unread, warnings: warnings.length > 0 && refusal !== undefined ? [...warnings, refusal] : warnings };
};

/**
 * Looks whether all topics are there and large enough. Where that is allowed, makes the missing ones of ours and gives partitions to
 * the smaller ones.
 */
export const ensureTopics = async (
  admin: Pick<ClusterAdmin, "topics" | "create" | "grow">,
  options: TopicsOptions,
): Promise<TopicsReport> => {
  const { principal } = options;
  const before = await look(admin, options);
  const { toMake, toGrow } = planChanges(before, options);
  const notMade = await attempt(() => admin.create(toMake));
  const mayAlter = toGrow.map(({ topic }) => topicRight("Alter", topic));
  const notGrown = await attempt(() => admin.grow(toGrow));
  // Another member may have made them at the same time, so that only this one was refused.
  const now = toMake.length + toGrow.length > 0 ? await look(admin, options) : before;
  const forbidden = now.all.flatMap(({ topic, error }) =>
    error === undefined || error === absent ? [] : [new Error(`Cannot look at topic ${topic}: ${error}`)],
  );
  return {
    missing: now.missing,
    problems: [...forbidden, ...(now.missing.length > 0 && notMade !== undefined ? [notMade] : [])],
    created: notMade === undefined ? toMake.map(({ topic }) => topic) : [],
    grown: notGrown === undefined ? toGrow.map(({ topic }) => topic) : [],
    notGrown,
    ...unreadOf(now, { principal, refusal: explainRefusal(notGrown, mayAlter, principal) }),
  };
};
