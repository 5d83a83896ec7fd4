import type { Kafka } from "kafkajs";

import type { Config } from "../config/config.ts";
import type { LiveSettings } from "../config/settings/reload.ts";
import { createConfiguredDecoder } from "../decoding/create-decoder.ts";
import type { Decoder } from "../decoding/decoder.ts";
import type { Gainsight } from "../delivery/gainsight.ts";
import { type ConsumerGroup, createConsumerGroup } from "../intake/consumer-group.ts";
import type { ClusterAdmin } from "../kafka/admin.ts";
import type { LastConnectionError } from "../kafka/connection-error.ts";
import { SessionGuard } from "../kafka/group/session-guard.ts";
import { ConsumerWatchdog } from "../kafka/group/silence.ts";
import type { DeadLetterLimit } from "../limits/dead-letter-limit.ts";
import type { Dedupe } from "../limits/dedupe.ts";
import { type MemoryBudget, createMemoryBudget } from "../limits/memory-budget.ts";
import type { Log } from "../ops/log.ts";
import { type Metrics, createMetrics } from "../ops/metrics.ts";
import { type Observer, createObserver } from "../ops/observer.ts";
import { createFetch } from "../outbound/fetch.ts";
import type { SendRequest } from "../outbound/json-response.ts";
import { readUserAgent } from "../outbound/user-agent.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { clock, sleep } from "./clock.ts";
import { composeDelivery } from "./compose-delivery.ts";
import { composeKafkaClients } from "./compose-kafka.ts";
import { type PublisherParts, composePublisher } from "./compose-publisher.ts";
import {
  createLiveDedupe,
  createLiveDeadLetterLimit,
  createLiveDecide,
  openSettings,
  type LiveSettingsSource,
  reportPause,
} from "./live-settings.ts";
import type { Rights } from "./rights.ts";
import { TopicWatch } from "./topic-watch.ts";
import { UnreadableWatch } from "./unreadable-watch.ts";

/** Held at a time, over all partitions: enough to fetch again before the work runs out, little enough for 200 MB. */
const memoryBudgetLimits = { maxRecords: 4_000, maxBytes: 32 * 1024 * 1024 };

/** The rooms of the service, introduced to each other and not yet started. */
export interface App extends PublisherParts {
  readonly config: Config;
  readonly settings: LiveSettings;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly lastConnectionError: LastConnectionError;
  readonly admin: ClusterAdmin;
  readonly rights: Rights;
  readonly decoder: Decoder;
  readonly group: ConsumerGroup;
  readonly topicWatch: TopicWatch;
  readonly unreadableWatch: UnreadableWatch;
  readonly sessionGuard: SessionGuard;
  readonly watchdog: ConsumerWatchdog;
  /** Asks whether any broker answers at all. */
  readonly pingCluster: () => Promise<void>;
  /** Why there is no token to log in to Kafka with, if one is needed. */
  readonly tokenProblem: () => string | undefined;
  readonly budget: MemoryBudget;
  readonly deadLetterLimit: DeadLetterLimit;
  readonly pipeline: Pipeline;
  readonly gainsight: Gainsight;
}

interface AppOptions extends LiveSettingsSource {
  /** Nothing can go on: the process has to end. */
  readonly onFatal: (error: Error) => void;
  /** How long the consumer alone may get no answer before it counts as dead: longer than any join takes. */
  readonly watchdogLimitMs?: number;
}

const metadataShortenedText =
  "The broker takes little metadata with a commit (offset.metadata.max.bytes): after a restart or a rebalance more events may be delivered twice";

/** A member's session outlasts any call, so that it cannot be thrown out of the group while it waits for an answer. */
const sessionTimeoutOf = (config: Config): number =>
  Math.min(30_000, Math.max(15_000, config.gainsight.timeoutMs + 5_000));

type PipelineParts = Pick<
  App,
  "settings" | "publisher" | "budget" | "deadLetterLimit" | "gainsight" | "sessionGuard" | "watchdog"
> & {
  readonly observer: Observer;
  readonly dedupe: Dedupe;
};

const composeSessionGuard = ({ config, log }: AppOptions, onRecovered: () => void): SessionGuard =>
  new SessionGuard({
    sessionTimeoutMs: sessionTimeoutOf(config),
    callTimeoutMs: config.gainsight.timeoutMs,
    wallNow: clock.wallNow,
    monotonicNow: clock.monotonicNow,
    onChange: (isSessionAlive) => {
      if (!isSessionAlive) return log.warn("The group does not answer: no new calls until it does");
      log.info("The group answers again");
      return onRecovered();
    },
  });

const composePipeline = ({ config }: AppOptions, pipelineParts: PipelineParts, review: () => void): Pipeline =>
  new Pipeline({
    ...pipelineParts,
    delivery: pipelineParts.gainsight.delivery,
    publisher: pipelineParts.publisher,
    clock,
    retryRules: { ...config.retry, delaysMs: config.topics.retry.map(({ delayMs }) => delayMs) },
    maxQuickAttempts: config.retry.quickAttempts,
    // Enough to keep every connection busy while the next batch is fetched; what waits longer only costs memory.
    maxReadyQueues: Math.max(256, config.gainsight.concurrency),
    mayStart: () => !pipelineParts.sessionGuard.isExpired,
    isPaused: () => pipelineParts.settings.current.paused,
    recheckWaiting: review,
  });

const composeConsumerGroup = (
  options: AppOptions,
  parts: PipelineParts &
    Pick<App, "admin" | "rights" | "decoder" | "pipeline" | "topicWatch" | "unreadableWatch"> & { kafka: Kafka },
): ConsumerGroup => {
  const { config, log, onFatal } = options;
  const sessionTimeoutMs = sessionTimeoutOf(config);
  return createConsumerGroup({
    ...parts,
    clock,
    pause: sleep,
    decide: createLiveDecide(parts.settings),
    groupId: config.kafka.groupId,
    sources: config.topics.source,
    retryTopics: config.topics.retry,
    startFrom: config.topics.startFrom,
    sessionTimeoutMs,
    drainTimeoutMs: { join: sessionTimeoutMs - 3_000, leave: config.shutdownTimeoutMs },
    abortCalls: parts.gainsight.abortAll,
    hasDeadLetterHold: (topic) => parts.deadLetterLimit.isTopicHeld(topic),
    onRegistryHold: (change) => parts.observer.holdChanged({ reason: "registry_down", ...change }),
    onHeartbeat: () => {
      parts.sessionGuard.onHeartbeat();
      parts.rights.recordGroupAnswer();
    },
    mayJoin: async () => {
      await parts.rights.refreshAndLog();
      return parts.rights.mayRead;
    },
    onProblem: (error) => parts.rights.handleError(error, "Cannot join the group again, trying on"),
    onCommitError: (error) => parts.rights.handleError(error, "Cannot commit yet, trying again"),
    onMetadataShortened: (chars) => log.warn({ chars }, metadataShortenedText),
    onLogReset: parts.topicWatch.onLogReset,
    onSuspectLog: parts.topicWatch.checkSoon,
    unreadableEvents: parts.unreadableWatch,
    onState: (state, detail) => log.info({ state }, detail),
    onFatal,
  });
};

const registryFetch = ({ input }: Config): SendRequest =>
  createFetch({ proxy: input.registry?.proxy, userAgent: readUserAgent() });

/** Introduces the rooms to each other. Nothing is started, and nothing connects. */
export const createApp = (options: AppOptions): App => {
  const { config, log } = options;
  const { kafka, noRetryKafka, shared } = composeKafkaClients(options);
  const metrics = createMetrics();
  const observer = createObserver({ log, metrics, wallNow: clock.wallNow });
  const budget = createMemoryBudget(memoryBudgetLimits);
  const settings = openSettings(options);
  const decoder = createConfiguredDecoder({
    ...config.input,
    fetch: registryFetch(config),
    warn: (text) => log.warn(text),
  });
  const { holdChanged: onHold } = observer;
  const onMissing = (): void => topicWatch.checkSoon();
  const publisherParts = composePublisher({
    ...options,
    kafka: noRetryKafka,
    ...clock,
    metrics,
    onHold,
    pause: sleep,
    onMissing,
  });
  // Not at once: an answer that opens the gate has still to be told to the stream.
  const gainsight = composeDelivery({
    ...options,
    observer,
    metrics,
    settings,
    onMaySend: () => pipeline.startReadySoon(),
  });
  const watchdog = new ConsumerWatchdog({
    timeoutMs: options.watchdogLimitMs ?? 180_000,
    monotonicNow: clock.monotonicNow,
  });
  const sessionGuard = composeSessionGuard(options, () => pipeline.startReady());
  const deadLetterLimit = createLiveDeadLetterLimit({ settings, onHold, wallNow: clock.wallNow });
  reportPause({ settings, onHold, monotonicNow: clock.monotonicNow });
  const dedupe = createLiveDedupe(settings, Math.floor(clock.random() * 2 ** 32));
  const pipelineParts: PipelineParts = {
    settings,
    observer,
    budget,
    deadLetterLimit,
    dedupe,
    publisher: publisherParts.publisher,
    gainsight,
    sessionGuard,
    watchdog,
  };
  const pipeline: Pipeline = composePipeline(options, pipelineParts, () => group.ingest.reviewCapacityPauses());
  const { principal } = shared.rights;
  const topicWatch = new TopicWatch({ ...options, ...clock, ...shared, principal, metrics, group: () => group });
  const unreadableWatch = new UnreadableWatch({ ...options, ...clock, ...shared, metrics, group: () => group });
  const watches = { topicWatch, unreadableWatch };
  const group: ConsumerGroup = composeConsumerGroup(options, {
    ...pipelineParts,
    ...shared,
    ...watches,
    kafka,
    decoder,
    pipeline,
  });
  // Last, so that everybody has heard of the change before anything moves: a hold may have ended.
  settings.onChange(() => {
    group.ingest.reviewPauses();
    pipeline.startReady();
  });
  return { config, log, metrics, decoder, group, pipeline, ...watches, ...shared, ...publisherParts, ...pipelineParts };
};
