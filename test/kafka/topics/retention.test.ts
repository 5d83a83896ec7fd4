import { describe, expect, it } from "vitest";

import { type RetentionRules, classifyRetention } from "../../../src/kafka/topics/retention.ts";
import type { TopicConfig } from "../../../src/kafka/topics/topic-config.ts";

const hour = 3_600_000;

const rules: RetentionRules = {
  retryTopics: [
    { topic: "retry-30s", delayMs: 30_000 },
    { topic: "retry-5m", delayMs: 300_000 },
  ],
  deadLetter: "dlq",
  maxAgeMs: 4 * hour,
};

const configOf = (topic: string, more: Partial<TopicConfig> = {}): TopicConfig => ({
  topic,
  cleanupPolicy: "delete",
  retentionMs: -1,
  retentionBytes: -1,
  ...more,
});

const alter = (topic: string, setting: string) =>
  `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}`;

describe("classifyRetention()", () => {
  it.each<[string, string, Partial<TopicConfig>]>([
    ["a retry topic that keeps everything", "retry-5m", {}],
    ["a retry topic that keeps for the age and its delay", "retry-5m", { retentionMs: 4 * hour + 300_000 }],
    ["a dead-letter topic that keeps for the age", "dlq", { retentionMs: 4 * hour }],
    [
      "a topic that removes nothing, whatever its limits",
      "retry-5m",
      { cleanupPolicy: "", retentionMs: 1, retentionBytes: 1 },
    ],
    ["another's topic", "other", { cleanupPolicy: "compact", retentionMs: 0 }],
  ])("accepts %s", (_, topic, config) => {
    expect(classifyRetention([configOf(topic, config)], rules)).toEqual({ kind: "fit", warnings: [] });
  });

  it.each<[string, Partial<TopicConfig>, RegExp]>([
    ["retry-30s", { cleanupPolicy: "compact" }, /^retry-30s has cleanup.policy compact, .*want delete/],
    ["retry-30s", { cleanupPolicy: "compact,delete" }, /^retry-30s has cleanup.policy compact,delete, /],
    ["retry-30s", { cleanupPolicy: "delete, compact" }, /^retry-30s has cleanup.policy/],
    ["dlq", { cleanupPolicy: "compact" }, /^dlq has cleanup.policy compact, /],
    ["retry-5m", { retentionMs: 299_999 }, /^retry-5m has retention.ms 299999, shorter than its delay of 300000 ms/],
    ["retry-30s", { retentionMs: 0 }, /^retry-30s has retention.ms 0, /],
  ])("refuses %s with %j, and says how to change it", (topic, config, expected) => {
    const verdict = classifyRetention([configOf("retry-30s"), configOf(topic, config)], rules);
    expect(verdict).toEqual({ kind: "unfit", error: expect.stringMatching(expected) });
    const setting = "cleanupPolicy" in config ? "cleanup.policy=delete" : "retention.ms=-1";
    expect(JSON.stringify(verdict)).toContain(alter(topic, setting));
  });

  it("names every topic that is unfit", () => {
    const configs = [configOf("retry-30s", { retentionMs: 1 }), configOf("dlq", { cleanupPolicy: "compact" })];
    expect(classifyRetention(configs, rules)).toMatchObject({ error: expect.stringMatching(/retry-30s .*\. dlq /) });
  });

  it.each<[string, Partial<TopicConfig>, string, string]>([
    [
      "retry-30s",
      { retentionMs: 4 * hour },
      "shorter than RETRY_MAX_AGE and its delay, 14430000 ms",
      "retention.ms=-1",
    ],
    ["retry-5m", { retentionMs: 300_000 }, "shorter than RETRY_MAX_AGE and its delay, 14700000 ms", "retention.ms=-1"],
    ["dlq", { retentionMs: 4 * hour - 1 }, "shorter than RETRY_MAX_AGE", "retention.ms=604800000"],
    ["retry-5m", { retentionBytes: 1_000_000 }, "has retention.bytes 1000000", "retention.bytes=-1"],
    ["dlq", { retentionBytes: 0 }, "has retention.bytes 0", "retention.bytes=-1"],
  ])("warns about %s with %j, and says how to change it", (topic, config, what, setting) => {
    const verdict = classifyRetention([configOf(topic, config)], rules);
    expect(verdict).toMatchObject({ kind: "fit", warnings: [expect.stringContaining(what)] });
    expect(JSON.stringify(verdict)).toContain(alter(topic, setting));
  });

  it("proposes the maximum retry age for dead letters if that is more than a week", () => {
    const maxAgeMs = 30 * 24 * hour;
    const verdict = classifyRetention([configOf("dlq", { retentionMs: hour })], { ...rules, maxAgeMs });
    expect(JSON.stringify(verdict)).toContain(`retention.ms=${maxAgeMs}`);
  });
});
