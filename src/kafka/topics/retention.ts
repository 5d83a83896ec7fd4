import type { TopicConfig } from "./topic-config.ts";

export interface RetentionRules {
  /** The retry topics, each with its delay in milliseconds. */
  readonly retryTopics: readonly { readonly topic: string; readonly delayMs: number }[];
  readonly deadLetter: string;
  /** `RETRY_MAX_AGE` in milliseconds. */
  readonly maxAgeMs: number;
}

export type RetentionVerdict =
  | { readonly kind: "fit"; readonly warnings: readonly string[] }
  /** A topic would delete records before they are read; only an operator can change that. */
  | { readonly kind: "unfit"; readonly error: string };

interface TopicRetention {
  readonly config: TopicConfig;
  /** No record is read before this time has passed; 0 for the dead-letter topic. */
  readonly delayMs: number;
  readonly maxAgeMs: number;
  /** The value of retention.ms that the message proposes. */
  readonly proposedRetentionMs: number;
}

const weekMs = 7 * 24 * 60 * 60 * 1_000;

const alterCommand = (topic: string, setting: string): string =>
  `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}`;

const hasCleanupPolicy = ({ cleanupPolicy }: TopicConfig, policy: "compact" | "delete"): boolean =>
  cleanupPolicy.split(",").some((part) => part.trim() === policy);

const deletesBefore = (config: TopicConfig, ms: number): boolean =>
  hasCleanupPolicy(config, "delete") && config.retentionMs >= 0 && config.retentionMs < ms;

/** Events of one user have the same key, so compaction removes them; and a record that is deleted before it is due is lost. */
const errorsOf = ({ config, delayMs, proposedRetentionMs }: TopicRetention): string[] => {
  const { topic, cleanupPolicy, retentionMs } = config;
  if (hasCleanupPolicy(config, "compact"))
    return [
      `${topic} has cleanup.policy ${cleanupPolicy}, which removes all but the last record of each user, ` +
        `want delete: ${alterCommand(topic, "cleanup.policy=delete")}`,
    ];
  if (!deletesBefore(config, delayMs)) return [];
  return [
    `${topic} has retention.ms ${retentionMs}, shorter than its delay of ${delayMs} ms, so records are deleted before ` +
      `they are due: ${alterCommand(topic, `retention.ms=${proposedRetentionMs}`)}`,
  ];
};

const warningsOf = ({ config, delayMs, maxAgeMs, proposedRetentionMs }: TopicRetention): string[] => {
  const { topic, retentionMs, retentionBytes } = config;
  const wantMs = maxAgeMs + delayMs;
  const reason =
    delayMs === 0
      ? `shorter than RETRY_MAX_AGE, ${wantMs} ms: dead letters may be deleted before anyone reads them`
      : `shorter than RETRY_MAX_AGE and its delay, ${wantMs} ms: records may be deleted during an outage`;
  const tooShort = `${topic} has retention.ms ${retentionMs}, ${reason}; change it with ${alterCommand(topic, `retention.ms=${proposedRetentionMs}`)}`;
  const tooSmall =
    `${topic} has retention.bytes ${retentionBytes}, which may delete records that still wait; change it with ` +
    alterCommand(topic, "retention.bytes=-1");
  return [
    ...(deletesBefore(config, wantMs) ? [tooShort] : []),
    ...(hasCleanupPolicy(config, "delete") && retentionBytes >= 0 ? [tooSmall] : []),
  ];
};

/** Whether the retry topics and the dead-letter topic keep their records long enough. A topic that is not in `configs` passes. */
export const classifyRetention = (configs: readonly TopicConfig[], rules: RetentionRules): RetentionVerdict => {
  const { retryTopics, deadLetter, maxAgeMs } = rules;
  const ownTopics = [
    ...retryTopics.map(({ topic, delayMs }) => ({ topic, delayMs, proposedRetentionMs: -1 })),
    // Dead letters hold personal data, which should not stay for ever if nobody reads them.
    { topic: deadLetter, delayMs: 0, proposedRetentionMs: Math.max(weekMs, maxAgeMs) },
  ];
  const retentions = ownTopics.flatMap(({ topic, delayMs, proposedRetentionMs }) =>
    configs
      .filter((config) => config.topic === topic)
      .map((config) => ({ config, delayMs, maxAgeMs, proposedRetentionMs })),
  );
  const errors = retentions.flatMap(errorsOf);
  return errors.length > 0
    ? { kind: "unfit", error: errors.join(". ") }
    : { kind: "fit", warnings: retentions.flatMap(warningsOf) };
};
