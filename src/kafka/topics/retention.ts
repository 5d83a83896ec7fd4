import type { TopicConfig } from "../admin.ts";

export interface RetentionRules {
  /** The retry tiers with their delays in milliseconds. */
  readonly tiers: readonly { readonly topic: string; readonly delayMs: number }[];
  readonly deadLetter: string;
  /** `RETRY_MAX_AGE` in milliseconds. */
  readonly maxAgeMs: number;
}

export type RetentionVerdict =
  | { readonly kind: "fit"; readonly warnings: readonly string[] }
  /** Records would vanish by rule, and only a person can mend that. */
  | { readonly kind: "unfit"; readonly error: string };

interface Kept {
  readonly config: TopicConfig;
  /** Before this time nobody even looks at a record. */
  readonly delayMs: number;
  readonly maxAgeMs: number;
  /** The value of retention.ms to propose. */
  readonly proposal: number;
}

const weekMs = 7 * 24 * 60 * 60 * 1_000;

const fix = (topic: string, setting: string): string =>
  `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}`;

const has = ({ cleanupPolicy }: TopicConfig, policy: "compact" | "delete"): boolean =>
  cleanupPolicy.split(",").some((one) => one.trim() === policy);

const isShorter = (config: TopicConfig, ms: number): boolean =>
  has(config, "delete") && config.retentionMs >= 0 && config.retentionMs < ms;

/** A user's events share a key; and what a topic forgets before it is due can never be delivered. */
const errorsOf = ({ config, delayMs, proposal }: Kept): string[] => {
  const { topic, cleanupPolicy, retentionMs } = config;
  if (has(config, "compact"))
    return [
      `${topic} has cleanup.policy ${cleanupPolicy}, which removes all but the last of a user's records, ` +
        `want delete: ${fix(topic, "cleanup.policy=delete")}`,
    ];
  if (!isShorter(config, delayMs)) return [];
  return [
    `${topic} has retention.ms ${retentionMs}, shorter than its delay of ${delayMs} ms, so that records vanish before ` +
      `they are due: ${fix(topic, `retention.ms=${proposal}`)}`,
  ];
};

const warningsOf = ({ config, delayMs, maxAgeMs, proposal }: Kept): string[] => {
  const { topic, retentionMs, retentionBytes } = config;
  const wantMs = maxAgeMs + delayMs;
  const why =
    delayMs === 0
      ? `shorter than RETRY_MAX_AGE, ${wantMs} ms: dead letters vanish before anybody may have looked`
      : `shorter than RETRY_MAX_AGE and its delay, ${wantMs} ms: records may vanish during an outage`;
  const short = `${topic} has retention.ms ${retentionMs}, ${why}; better is ${fix(topic, `retention.ms=${proposal}`)}`;
  const bounded =
    `${topic} has retention.bytes ${retentionBytes}, which may remove what still waits; better is ` +
    fix(topic, "retention.bytes=-1");
  return [
    ...(isShorter(config, wantMs) ? [short] : []),
    ...(has(config, "delete") && retentionBytes >= 0 ? [bounded] : []),
  ];
};

/** Whether the tiers and the dead-letter topic keep their records long enough. A topic whose settings are not known passes. */
export const judgeRetention = (configs: readonly TopicConfig[], rules: RetentionRules): RetentionVerdict => {
  const { tiers, deadLetter, maxAgeMs } = rules;
  const ours = [
    ...tiers.map(({ topic, delayMs }) => ({ topic, delayMs, proposal: -1 })),
    // For ever is too long for personal data that nobody may ever look at.
    { topic: deadLetter, delayMs: 0, proposal: Math.max(weekMs, maxAgeMs) },
  ];
  const kept = ours.flatMap(({ topic, delayMs, proposal }) =>
    configs.filter((config) => config.topic === topic).map((config) => ({ config, delayMs, maxAgeMs, proposal })),
  );
  const errors = kept.flatMap(errorsOf);
  return errors.length > 0
    ? { kind: "unfit", error: errors.join(". ") }
    : { kind: "fit", warnings: kept.flatMap(warningsOf) };
};
