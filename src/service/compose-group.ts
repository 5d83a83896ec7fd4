import type { Kafka } from "kafkajs";

import type { Config } from "../config/config.ts";
import type { LiveSettings } from "../config/settings/live-settings.ts";
import type { Decoder } from "../decoding/decoder.ts";
import type { Gainsight } from "../delivery/gainsight.ts";
import { type ConsumerGroup, createConsumerGroup } from "../intake/consumer-group.ts";
import type { ClusterAdmin } from "../kafka/admin.ts";
import type { ConsumerWatchdog } from "../kafka/group/consumer-watchdog.ts";
import type { SessionGuard } from "../kafka/group/session-guard.ts";
import type { DeadLetterLimit } from "../limits/dead-letter-limit.ts";
import type { Log } from "../ops/log.ts";
import type { Observer } from "../ops/observer.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import { clock, sleep } from "./clock.ts";
import { sessionTimeoutOf } from "./compose-scheduler.ts";
import { createLiveDecide } from "./live-settings.ts";
import type { Rights } from "./rights.ts";
import type { TopicWatch } from "./topic-watch.ts";
import type { UnreadableWatch } from "./unreadable-watch.ts";

interface ComposeGroupOptions {
  readonly config: Config;
  readonly log: Log;
  readonly settings: LiveSettings;
  readonly kafka: Kafka;
  readonly admin: ClusterAdmin;
  readonly decoder: Decoder;
  readonly scheduler: Scheduler;
  readonly gainsight: Gainsight;
  readonly deadLetterLimit: DeadLetterLimit;
  readonly observer: Observer;
  readonly sessionGuard: SessionGuard;
  readonly watchdog: ConsumerWatchdog;
  readonly rights: Rights;
  readonly topicWatch: TopicWatch;
  readonly unreadableWatch: UnreadableWatch;
  readonly onFatal: (error: Error) => void;
}

const metadataShortenedText =
  "The broker takes little metadata with a commit (offset.metadata.max.bytes): after a restart or a rebalance more events may be delivered twice";

/** How long work in flight may take to end: before a join, well inside the session, and before leaving. */
const drainTimeoutsOf = (config: Config) => ({
  join: sessionTimeoutOf(config) - 3_000,
  leave: config.shutdownTimeoutMs,
});

/** This member of the consumer group, which reads records into the pipeline and commits them. */
export const composeGroup = (options: ComposeGroupOptions): ConsumerGroup => {
  const { config, log, scheduler, gainsight, deadLetterLimit, observer, sessionGuard, rights } = options;
  return createConsumerGroup({
    clock,
    pause: sleep,
    kafka: options.kafka,
    admin: options.admin,
    decoder: options.decoder,
    decide: createLiveDecide(options.settings),
    scheduler,
    groupId: config.kafka.groupId,
    sources: config.topics.source,
    retryTopics: config.topics.retry,
    startFrom: config.topics.startFrom,
    sessionTimeoutMs: sessionTimeoutOf(config),
    drainTimeoutMs: drainTimeoutsOf(config),
    watchdog: options.watchdog,
    unreadableEvents: options.unreadableWatch,
    abortCalls: gainsight.abortAll,
    hasDeadLetterHold: (topic) => deadLetterLimit.isTopicHeld(topic),
    mayJoin: async () => {
      await rights.refreshAndLog();
      return rights.mayRead;
    },
    onHeartbeat: () => {
      sessionGuard.onHeartbeat();
      rights.recordGroupAnswer();
    },
    onRegistryHold: (change) => observer.holdChanged({ reason: "registry_down", ...change }),
    onProblem: (error) => rights.handleError(error, "Cannot join the group; retrying"),
    onCommitError: (error) => rights.handleError(error, "Cannot commit; retrying"),
    onMetadataShortened: (chars) => log.warn({ chars }, metadataShortenedText),
    onLogReset: options.topicWatch.onLogReset,
    onSuspectLog: options.topicWatch.checkSoon,
    onState: (state, detail) => log.info({ state }, detail),
    onFatal: options.onFatal,
  });
};
