import type { ClusterAdmin, TopicShape } from "../admin.ts";
import { isProgrammingError } from "../own-errors.ts";
import { explainAuthorizationError } from "../rights/missing-right.ts";
import { type Principal, topicRight } from "../rights/rights.ts";
import type { TopicState } from "./topic-metadata.ts";

export interface TopicsOptions {
  readonly sources: readonly string[];
  readonly retryTopics: readonly string[];
  readonly deadLetter: string;
  /** Whether the service may create missing retry and dead-letter topics and add partitions to retry topics. It never changes a source. */
  readonly mayCreate: boolean;
  /** The principal in the commands that the warnings propose. */
  readonly principal: Principal;
}

export interface TopicsReport {
  /** Topics that an operator has to create. */
  readonly missing: readonly string[];
  /** Why the cluster did not describe a topic, or did not create one. */
  readonly problems: readonly unknown[];
  /** Why the cluster did not add partitions; undefined if it did or did not have to. */
  readonly growError?: unknown;
  readonly created: readonly string[];
  /** Topics that got more partitions. */
  readonly grown: readonly string[];
  /**
   * For each source, how many of its partitions are not read. An event is retried on the partition number that it came from, so a
   * partition is read only if every retry topic has its number.
   */
  readonly unread: readonly { readonly topic: string; readonly partitions: number }[];
  /** What an operator can do to have all partitions read. */
  readonly warnings: readonly string[];
}

const unknownTopic = "UNKNOWN_TOPIC_OR_PARTITION";

/** Runs a change and returns the error with which the cluster refuses it, or undefined. */
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
  /** The sources that exist. */
  readonly sources: readonly TopicState[];
  /** The retry topics that exist. */
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

interface TopicChanges {
  readonly toCreate: readonly TopicShape[];
  readonly toGrow: readonly Pick<TopicShape, "topic" | "partitions">[];
}

/** Gives every retry topic as many partitions as the largest source or retry topic has. */
const planChanges = ({ sources, retryTopics, missing }: TopicStates, options: TopicsOptions): TopicChanges => {
  const [template] = [...sources, ...retryTopics];
  if (!options.mayCreate || !template) return { toCreate: [], toGrow: [] };
  const partitions = maxPartitionsOf([...sources, ...retryTopics]);
  const toCreate = missing
    .filter((topic) => !options.sources.includes(topic))
    .map((topic) => ({ topic, partitions, replicationFactor: template.replicationFactor }));
  const toGrow = retryTopics
    .filter((retryTopic) => retryTopic.partitions < partitions)
    .map(({ topic }) => ({ topic, partitions }));
  return { toCreate, toGrow };
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
        `${partitions === 1 ? `1 partition of ${topic} is` : `${partitions} partitions of ${topic} are`} not read, ` +
        "because not all retry topics have as many; " +
        `add partitions with ${commands.join("; ")}`,
    );
  return { unread, warnings: warnings.length > 0 && refusal !== undefined ? [...warnings, refusal] : warnings };
};

/**
 * Checks that all topics exist and that every retry topic has enough partitions. If `mayCreate` is set, creates missing retry and
 * dead-letter topics and adds partitions to retry topics. The report holds what the cluster refuses; other errors are thrown.
 */
export const ensureTopics = async (
  admin: Pick<ClusterAdmin, "topicStates" | "createTopics" | "createPartitions">,
  options: TopicsOptions,
): Promise<TopicsReport> => {
  const { principal } = options;
  const before = await readTopicStates(admin, options);
  const { toCreate, toGrow } = planChanges(before, options);
  const createError = await tryChange(() => admin.createTopics(toCreate));
  const neededRights = toGrow.map(({ topic }) => topicRight("Alter", topic));
  const growError = await tryChange(() => admin.createPartitions(toGrow));
  // Another member may have created the topics at the same time, so that the cluster refused only this member's request.
  const after = toCreate.length + toGrow.length > 0 ? await readTopicStates(admin, options) : before;
  const forbidden = after.all.flatMap(({ topic, error }) =>
    error === undefined || error === unknownTopic ? [] : [new Error(`Cannot read the metadata of ${topic}: ${error}`)],
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
