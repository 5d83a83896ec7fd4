import type { ClusterAdmin } from "../admin.ts";
import { isProgrammingError } from "../own-errors.ts";
import { type Principal, explainAuthorizationError, topicRight } from "./refusals.ts";
import type { TopicState } from "./topic-metadata.ts";

export interface TopicsOptions {
  readonly sources: readonly string[];
  /** The retry tiers. */
  readonly retryTopics: readonly string[];
  readonly deadLetter: string;
  /** Whether missing tiers and dead-letter topics may be made, and tiers given more partitions. Sources are never touched. */
  readonly mayCreate: boolean;
  /** For the commands that are proposed. */
  readonly principal: Principal;
}

export interface TopicsReport {
  /** Somebody has to make these. */
  readonly missing: readonly string[];
  /** Why the cluster does not tell of a topic, or did not make one. */
  readonly problems: readonly unknown[];
  /** Why it did not give partitions to the smaller ones. */
  readonly growError?: unknown;
  readonly created: readonly string[];
  readonly grown: readonly string[];
  /** For each source, how many of its partitions are not read: a record waits on the partition number that it came from. */
  readonly unread: readonly { readonly topic: string; readonly partitions: number }[];
  /** How to have those read. */
  readonly warnings: readonly string[];
}

const unknownTopic = "UNKNOWN_TOPIC_OR_PARTITION";

/** Runs one of the changes that are allowed. What the cluster refuses is given back, and the rest goes on. */
const tryChange = async (change: () => Promise<void>): Promise<unknown> => {
  try {
    await change();
    return undefined;
  } catch (error) {
    if (isProgrammingError(error)) throw error;
    return error;
  }
};

const maxPartitionsOf = (states: readonly TopicState[]): number =>
  Math.max(0, ...states.map(({ partitions }) => partitions));

interface TopicStates {
  readonly all: readonly TopicState[];
  /** Those of each kind that are there. */
  readonly sources: readonly TopicState[];
  readonly retryTopics: readonly TopicState[];
  readonly missing: readonly string[];
}

const readTopicStates = async (
  admin: Pick<ClusterAdmin, "topicStates">,
  options: TopicsOptions,
): Promise<TopicStates> => {
  const all = await admin.topicStates([...options.sources, ...options.retryTopics, options.deadLetter]);
  const existing = all.filter(({ error }) => error === undefined);
  const missing = all.filter(({ error }) => error === unknownTopic).map(({ topic }) => topic);
  const [sources, retryTopics] = [options.sources, options.retryTopics].map((names) =>
    existing.filter(({ topic }) => names.includes(topic)),
  );
  return { all, sources: sources ?? [], retryTopics: retryTopics ?? [], missing };
};

/** Every retry topic is to be as large as the largest topic. */
const planChanges = ({ sources, retryTopics, missing }: TopicStates, options: TopicsOptions) => {
  const [template] = [...sources, ...retryTopics];
  if (!options.mayCreate || !template) return { toMake: [], toGrow: [] };
  const partitions = maxPartitionsOf([...sources, ...retryTopics]);
  const toCreate = missing
    .filter((topic) => !options.sources.includes(topic))
    .map((topic) => ({ topic, partitions, replicationFactor: template.replicationFactor }));
  const toGrow = retryTopics
    .filter((retryTopic) => retryTopic.partitions < partitions)
    .map(({ topic }) => ({ topic, partitions }));
  return { toMake: toCreate, toGrow };
};

const unreadPartitionsOf = (
  { sources, retryTopics }: TopicStates,
  { principal, refusal }: { principal: Principal; refusal: string | undefined },
): Pick<TopicsReport, "unread" | "warnings"> => {
  const maxPartitions = maxPartitionsOf(sources);
  const readPartitions = Math.min(...retryTopics.map(({ partitions }) => partitions), maxPartitions);
  const unread = sources.map(({ topic, partitions }) => ({
    topic,
    partitions: Math.max(0, partitions - readPartitions),
  }));
  const command = `kafka-topics.sh --bootstrap-server ${principal.brokers.join(",")} --alter --topic`;
  const commands = retryTopics
    .filter(({ partitions }) => partitions < maxPartitions)
    .map(({ topic }) => `${command} ${topic} --partitions ${maxPartitions}`);
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
  admin: Pick<ClusterAdmin, "topicStates" | "createTopics" | "createPartitions">,
  options: TopicsOptions,
): Promise<TopicsReport> => {
  const { principal } = options;
  const before = await readTopicStates(admin, options);
  const { toMake: toCreate, toGrow } = planChanges(before, options);
  const createError = await tryChange(() => admin.createTopics(toCreate));
  const neededRights = toGrow.map(({ topic }) => topicRight("Alter", topic));
  const growError = await tryChange(() => admin.createPartitions(toGrow));
  // Another member may have made them at the same time, so that only this one was refused.
  const after = toCreate.length + toGrow.length > 0 ? await readTopicStates(admin, options) : before;
  const forbidden = after.all.flatMap(({ topic, error }) =>
    error === undefined || error === unknownTopic ? [] : [new Error(`Cannot look at topic ${topic}: ${error}`)],
  );
  return {
    missing: after.missing,
    problems: [...forbidden, ...(after.missing.length > 0 && createError !== undefined ? [createError] : [])],
    created: createError === undefined ? toCreate.map(({ topic }) => topic) : [],
    grown: growError === undefined ? toGrow.map(({ topic }) => topic) : [],
    growError,
    ...unreadPartitionsOf(after, { principal, refusal: explainAuthorizationError(growError, neededRights, principal) }),
  };
};
