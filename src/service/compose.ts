import type { Kafka } from "kafkajs";

import type { Config } from "../config/config.ts";
import type { LiveSettings } from "../config/settings/reload.ts";
import { createInput } from "../decoding/create-decoder.ts";
import type { Decoder } from "../decoding/decoder.ts";
import type { Gainsight } from "../delivery/gainsight.ts";
import { type Member, createMember } from "../intake/consumer-group.ts";
import type { ClusterAdmin } from "../kafka/admin.ts";
import type { Trouble } from "../kafka/connection-error.ts";
import { Contact } from "../kafka/group/session-guard.ts";
import { Silence } from "../kafka/group/silence.ts";
import type { Flood } from "../limits/dead-letter-limit.ts";
import type { Dedupe } from "../limits/dedupe.ts";
import { type Budget, createBudget } from "../limits/memory-budget.ts";
import type { Log } from "../ops/log.ts";
import { type Metrics, createMetrics } from "../ops/metrics.ts";
import { type Observer, createObserver } from "../ops/observer.ts";
import { type Fetch, createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";
import { Stream } from "../pipeline/pipeline.ts";
import { clock, pause } from "./clock.ts";
import { createCalling } from "./compose-delivery.ts";
import { createClients } from "./compose-kafka.ts";
import { type Writing, createWriting } from "./compose-publisher.ts";
import {
  createLiveDedupe,
  createLiveFlood,
  createLiveHandler,
  openSettings,
  type SettingsOptions,
  watchPause,
} from "./live-settings.ts";
import type { Rights } from "./rights.ts";
import { TopicWatch } from "./topic-watch.ts";
import { UnreadableWatch } from "./unreadable-watch.ts";

/** Held at a time, over all partitions: enough to fetch again before the work runs out, little enough for 200 MB. */
const budgetLimits = { maxRecords: 4_000, maxBytes: 32 * 1024 * 1024 };

/** The rooms of the service, introduced to each other and not yet started. */
export interface App extends Writing {
  readonly config: Config;
  readonly settings: LiveSettings;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly trouble: Trouble;
  readonly admin: ClusterAdmin;
  readonly rights: Rights;
  readonly decoder: Decoder;
  readonly member: Member;
  readonly topicWatch: TopicWatch;
  readonly unreadableWatch: UnreadableWatch;
  readonly contact: Contact;
  readonly silence: Silence;
  /** Asks whether any broker answers at all. */
  readonly knock: () => Promise<void>;
  /** Why there is no token to log in to Kafka with, if one is needed. */
  readonly tokenProblem: () => string | undefined;
  readonly budget: Budget;
  readonly flood: Flood;
  readonly stream: Stream;
  readonly gainsight: Gainsight;
}

interface AppOptions extends SettingsOptions {
  /** Nothing can go on: the process has to end. */
  readonly onFatal: (error: Error) => void;
  /** How long the consumer alone may get no answer before it counts as dead: longer than any join takes. */
  readonly silenceLimitMs?: number;
}

const shortenedText =
  "The broker takes little metadata with a commit (offset.metadata.max.bytes): after a restart or a rebalance more events may be delivered twice";

/** A member's session outlasts any call, so that it cannot be thrown out of the group while it waits for an answer. */
const sessionTimeoutOf = (config: Config): number =>
  Math.min(30_000, Math.max(15_000, config.gainsight.timeoutMs + 5_000));

type Flow = Pick<App, "settings" | "settler" | "budget" | "flood" | "gainsight" | "contact" | "silence"> & {
  readonly observer: Observer;
  readonly dedupe: Dedupe;
};

const createContact = ({ config, log }: AppOptions, onAgain: () => void): Contact =>
  new Contact({
    sessionTimeoutMs: sessionTimeoutOf(config),
    callTimeoutMs: config.gainsight.timeoutMs,
    now: clock.now,
    monotonic: clock.monotonic,
    onChange: (hasContact) => {
      if (!hasContact) return log.warn("The group does not answer: no new calls until it does");
      log.info("The group answers again");
      return onAgain();
    },
  });

const createStream = ({ config }: AppOptions, flow: Flow, review: () => void): Stream =>
  new Stream({
    ...flow,
    delivery: flow.gainsight.delivery,
    settle: flow.settler,
    clock,
    retryRules: { ...config.retry, delaysMs: config.topics.retry.map(({ delayMs }) => delayMs) },
    quickAttempts: config.retry.quickAttempts,
    // Enough to keep every connection busy while the next batch is fetched; what waits longer only costs memory.
    maxReady: Math.max(256, config.gainsight.concurrency),
    mayStart: () => !flow.contact.isLost,
    isPaused: () => flow.settings.current.paused,
    review,
  });

const createIntake = (
  options: AppOptions,
  parts: Flow &
    Pick<App, "admin" | "rights" | "decoder" | "stream" | "topicWatch" | "unreadableWatch"> & { kafka: Kafka },
): Member => {
  const { config, log, onFatal } = options;
  const sessionTimeoutMs = sessionTimeoutOf(config);
  return createMember({
    ...parts,
    clock,
    pause,
    handle: createLiveHandler(parts.settings),
    groupId: config.kafka.groupId,
    sources: config.topics.source,
    tiers: config.topics.retry,
    startFrom: config.topics.startFrom,
    sessionTimeoutMs,
    drainLimitMs: { join: sessionTimeoutMs - 3_000, leave: config.shutdownTimeoutMs },
    abort: parts.gainsight.abort,
    isHeldIn: (topic) => parts.flood.isHeldIn(topic),
    onRegistryHold: (change) => parts.observer.hold({ reason: "registry_down", ...change }),
    onContact: () => {
      parts.contact.heard();
      parts.rights.heardOfGroup();
    },
    mayJoin: () => parts.rights.mayRead(),
    onProblem: (error) => parts.rights.problem(error, "Cannot join the group again, trying on"),
    onCommitError: (error) => parts.rights.problem(error, "Cannot commit yet, trying again"),
    onMetadataShortened: (chars) => log.warn({ chars }, shortenedText),
    onReset: parts.topicWatch.reset,
    onDoubt: parts.topicWatch.soon,
    onUnreadable: parts.unreadableWatch,
    onState: (state, detail) => log.info({ state }, detail),
    onFatal,
  });
};

const registryFetch = ({ input }: Config): Fetch =>
  createFetch({ proxy: input.registry?.proxy, userAgent: readUserAgent() });

/** Introduces the rooms to each other. Nothing is started, and nothing connects. */
export const createApp = (options: AppOptions): App => {
  const { config, log } = options;
  const { kafka, impatient, shared } = createClients(options);
  const metrics = createMetrics();
  const observer = createObserver({ log, metrics, now: clock.now });
  const budget = createBudget(budgetLimits);
  const settings = openSettings(options);
  const decoder = createInput({ ...config.input, fetch: registryFetch(config), warn: (text) => log.warn(text) });
  const { hold } = observer;
  const onMissing = (): void => topicWatch.soon();
  const writing = createWriting({ ...options, kafka: impatient, ...clock, metrics, hold, pause, onMissing });
  // Not at once: an answer that opens the gate has still to be told to the stream.
  const gainsight = createCalling({ ...options, observer, metrics, settings, onChange: () => stream.pumpSoon() });
  const silence = new Silence({ limitMs: options.silenceLimitMs ?? 180_000, now: clock.monotonic });
  const contact = createContact(options, () => stream.pump());
  const flood = createLiveFlood({ settings, hold, wallNow: clock.now });
  watchPause({ settings, hold, monotonicNow: clock.monotonic });
  const dedupe = createLiveDedupe(settings, Math.floor(clock.random() * 2 ** 32));
  const flow: Flow = {
    settings,
    observer,
    budget,
    flood,
    dedupe,
    settler: writing.settler,
    gainsight,
    contact,
    silence,
  };
  const stream: Stream = createStream(options, flow, () => member.intake.reviewEnds());
  const { principal } = shared.rights;
  const topicWatch = new TopicWatch({ ...options, ...clock, ...shared, principal, metrics, member: () => member });
  const unreadableWatch = new UnreadableWatch({ ...options, ...clock, ...shared, metrics, member: () => member });
  const watches = { topicWatch, unreadableWatch };
  const member: Member = createIntake(options, { ...flow, ...shared, ...watches, kafka, decoder, stream });
  // Last, so that everybody has heard of the change before anything moves: a hold may have ended.
  settings.onChange(() => {
    member.intake.review();
    stream.pump();
  });
  return { config, log, metrics, decoder, member, stream, ...watches, ...shared, ...writing, ...flow };
};
