import type { Config } from "../config/config.ts";
import type { LiveSettings } from "../config/settings/live-settings.ts";
import { createConfiguredDecoder } from "../decoding/configured-decoder.ts";
import type { Decoder } from "../decoding/decoder.ts";
import type { Gainsight } from "../delivery/gainsight.ts";
import type { ConsumerGroup } from "../intake/consumer-group.ts";
import { ConsumerWatchdog } from "../kafka/group/consumer-watchdog.ts";
import type { SessionGuard } from "../kafka/group/session-guard.ts";
import type { DeadLetterLimit } from "../limits/dead-letter-limit.ts";
import { type MemoryBudget, createMemoryBudget, memoryBudgetLimits } from "../limits/memory-budget.ts";
import type { Log } from "../ops/log.ts";
import { type Metrics, createMetrics } from "../ops/metrics.ts";
import { createObserver } from "../ops/observer.ts";
import { createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import { clock, sleep } from "./clock.ts";
import { composeDelivery } from "./compose-delivery.ts";
import { composeGroup } from "./compose-group.ts";
import { type KafkaClients, composeKafkaClients } from "./compose-kafka.ts";
import { type PublisherParts, composePublisher } from "./compose-publisher.ts";
import { composeScheduler, composeSessionGuard } from "./compose-scheduler.ts";
import {
  type LiveSettingsSource,
  createLiveDeadLetterLimit,
  createLiveDedupe,
  openSettings,
  reportPause,
} from "./live-settings.ts";
import { TopicWatch } from "./topic-watch.ts";
import { UnreadableWatch } from "./unreadable-watch.ts";

/** How long the consumer alone may get no answer before it counts as dead: longer than any join takes. */
const defaultWatchdogLimitMs = 180_000;

/** The rooms of the service, wired and not yet started. */
export interface App
  extends
    PublisherParts,
    Pick<KafkaClients, "admin" | "rights" | "lastConnectionError" | "tokenProblem" | "pingCluster"> {
  readonly config: Config;
  readonly settings: LiveSettings;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly decoder: Decoder;
  readonly group: ConsumerGroup;
  readonly topicWatch: TopicWatch;
  readonly unreadableWatch: UnreadableWatch;
  readonly sessionGuard: SessionGuard;
  readonly watchdog: ConsumerWatchdog;
  readonly budget: MemoryBudget;
  readonly deadLetterLimit: DeadLetterLimit;
  readonly scheduler: Scheduler;
  readonly gainsight: Gainsight;
}

interface AppOptions extends LiveSettingsSource {
  /** Nothing can go on: the process has to end. */
  readonly onFatal: (error: Error) => void;
  readonly watchdogLimitMs?: number;
}

/** What needs no other room. */
const composeFoundation = (options: AppOptions) => {
  const { config, log, watchdogLimitMs: timeoutMs = defaultWatchdogLimitMs } = options;
  const { wallNow, monotonicNow, random } = clock;
  const metrics = createMetrics();
  const observer = createObserver({ log, metrics, wallNow });
  const settings = openSettings(options);
  const onHold = observer.holdChanged;
  const fetch = createFetch({ proxy: config.input.registry?.proxy, userAgent: readUserAgent() });
  reportPause({ settings, onHold, monotonicNow });
  return {
    metrics,
    observer,
    settings,
    decoder: createConfiguredDecoder({ ...config.input, fetch, warn: (text) => log.warn(text) }),
    budget: createMemoryBudget(memoryBudgetLimits),
    deadLetterLimit: createLiveDeadLetterLimit({ settings, onHold, wallNow }),
    dedupe: createLiveDedupe(settings, Math.floor(random() * 2 ** 32)),
    watchdog: new ConsumerWatchdog({ timeoutMs, monotonicNow }),
  };
};

type Foundation = ReturnType<typeof composeFoundation>;

/** Those who ask the cluster now and then about topics, and about batches that cannot be read. */
const composeWatches = (
  { config, log, onFatal }: AppOptions,
  { metrics, admin, rights, group }: Pick<Foundation, "metrics"> & KafkaClients & { group: () => ConsumerGroup },
): Pick<App, "topicWatch" | "unreadableWatch"> => {
  const { monotonicNow, schedule } = clock;
  const shared = { admin, config, log, metrics, group, monotonicNow, onFatal };
  return {
    topicWatch: new TopicWatch({ ...shared, principal: rights.principal, schedule }),
    unreadableWatch: new UnreadableWatch({ ...shared, rights }),
  };
};

/** Wires all rooms. Nothing is started, and nothing connects. */
export const createApp = (options: AppOptions): App => {
  const { config, log, onFatal } = options;
  const foundation = composeFoundation(options);
  const { observer, metrics, settings } = foundation;
  const clients = composeKafkaClients({ config, log, onFatal });
  const watches = composeWatches(options, { ...clients, metrics, group: () => group });
  const publisherParts = composePublisher({
    config,
    log,
    metrics,
    kafka: clients.noRetryKafka,
    clock,
    pause: sleep,
    onHold: observer.holdChanged,
    onMissing: watches.topicWatch.checkSoon,
  });
  // An answer that lets calls start again has not reached the pipeline yet: hence soon, and not at once.
  const onMaySend = (): void => scheduler.startReadySoon();
  const gainsight = composeDelivery({ config, log, observer, metrics, settings, onMaySend });
  const sessionGuard = composeSessionGuard({ config, log, onRecovered: () => scheduler.startReady() });
  const recheckWaiting = (): void => group.ingest.reviewCapacityPauses();
  const { publisher } = publisherParts;
  const delivering = { ...foundation, config, gainsight, sessionGuard };
  const scheduler: Scheduler = composeScheduler({ ...delivering, publisher, recheckWaiting });
  const group: ConsumerGroup = composeGroup({ ...delivering, ...clients, ...watches, log, scheduler, onFatal });
  // Registered last: everything else has the changed settings before anything moves. A hold may have ended.
  settings.onChange(() => {
    group.ingest.reviewPauses();
    scheduler.startReady();
  });
  return { ...delivering, ...clients, ...watches, ...publisherParts, log, group, scheduler };
};
