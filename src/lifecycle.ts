import type { App } from "./app.ts";
import { pause } from "./app.ts";
import type { HoldReason } from "./core/outcome.ts";
import { type Removed, askEnds } from "./intake/ends.ts";
import { lagOf } from "./intake/feed.ts";
import { ensureTopics } from "./kafka/topics.ts";
import { type OpsServer, createOpsServer } from "./ops/http.ts";

const retryPauseMs = 1_000;
const slowAfterMs = 2_000;
const commitEveryMs = 1_000;
const goodbyeMs = 3_000;
const askEndsEveryMs = 10_000;

/** A running service. `stop` is idempotent and shared: whoever calls it waits for the same end. */
export interface Service {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const holdsOf = ({ gainsight, member }: App): HoldReason[] => [
  ...gainsight.delivery.holds,
  ...(member.schemas.isHeld ? (["registry_down"] as const) : []),
];

const parkedUsersOf = ({ member: { intake } }: App): number =>
  [...new Set(intake.inlets.map(({ chains }) => chains))].reduce((sum, { users }) => sum + users, 0);

const lagsOf = ({ member: { intake } }: App) =>
  intake.feeds.map((feed) => ({ topic: feed.topic, partition: feed.partition, lag: lagOf(feed) }));

/** What is still missing before the service takes part; empty when it does. */
class Readiness {
  missing = "Starting";
}

const statusOf = (app: App, readiness: Readiness) => ({
  ready: readiness.missing === "" && isSettled(app),
  ...(readiness.missing !== "" && { missing: readiness.missing }),
  membership: app.member.membership.state,
  holds: holdsOf(app),
  breaker: app.gainsight.delivery.breakerState,
  totals: app.metrics.totals(),
  inFlight: app.gainsight.delivery.inFlight,
  heldRecords: app.budget.records,
  parkedUsers: parkedUsersOf(app),
  lag: lagsOf(app),
});

/** The tiers are read before the sources open. A registry that does not answer holds that up, and a hold is no lack of readiness. */
const isSettled = ({ member: { membership, intake, schemas } }: App): boolean =>
  membership.state === "owner" && (intake.isOpen || schemas.isHeld);

const reasonsOf = (app: App, { missing }: Readiness): string[] => {
  if (missing !== "") return [missing];
  if (app.member.membership.state === "owner" && !isSettled(app)) return ["The retry tiers are being read"];
  return app.member.membership.state === "owner" ? [] : [`The group is ${app.member.membership.state}`];
};

const openOps = (app: App, readiness: Readiness): Promise<OpsServer> => {
  const { config, metrics, log } = app;
  metrics.observe(() => ({
    holds: holdsOf(app),
    breaker: app.gainsight.delivery.breakerState,
    lag: lagsOf(app),
    parkedUsers: parkedUsersOf(app),
    heldRecords: app.budget.records,
    inFlight: app.gainsight.delivery.inFlight,
  }));
  return createOpsServer({
    ...config.http,
    live: () => ({ ok: true, detail: app.member.membership.state }),
    ready: () => {
      const reasons = reasonsOf(app, readiness);
      return { ok: reasons.length === 0, reasons, holds: holdsOf(app) };
    },
    status: () => statusOf(app, readiness),
    metrics,
    log,
  });
};

/** Tries one step of the start until it works or the service is stopped; says what is missing meanwhile. */
const untilDone = async (
  step: { what: string; run: () => Promise<string | undefined> },
  { app, readiness, isStopping }: Start,
): Promise<void> => {
  const report = (problem: string): void => {
    const missing = `${step.what}: ${problem}`;
    if (readiness.missing !== missing) app.log.warn({ problem }, `${step.what}, trying on`);
    readiness.missing = missing;
  };
  while (!isStopping()) {
    // kafkajs tries for long before it gives up on a broker; nobody should have to guess meanwhile.
    const slow = setTimeout(() => report("no answer yet"), slowAfterMs);
    const problem = await step
      .run()
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
      .finally(() => clearTimeout(slow));
    if (problem === undefined) return;
    report(problem);
    await pause(retryPauseMs);
  }
};

interface Start {
  readonly app: App;
  readonly readiness: Readiness;
  readonly isStopping: () => boolean;
  readonly onFatal: (error: Error) => void;
}

const checkTopics = async ({ app, onFatal }: Start): Promise<string | undefined> => {
  const { source, retry, deadLetter, create } = app.config.topics;
  const tiers = retry.map(({ topic }) => topic);
  const state = await ensureTopics(app.admin, { sources: source, tiers, deadLetter, create });
  if (state.kind === "unfit") onFatal(new Error(state.error));
  if (state.kind === "missing") return `These topics do not exist: ${state.topics.join(", ")}`;
  if (state.kind === "ready" && state.created.length > 0) app.log.info({ topics: state.created }, "Created topics");
  return state.kind === "unfit" ? state.error : undefined;
};

const done = async (work: Promise<void>): Promise<undefined> => {
  await work;
  return undefined;
};

const join = async (start: Start): Promise<void> => {
  const { app, readiness, isStopping } = start;
  await untilDone({ what: "Cannot reach Kafka", run: () => done(app.admin.connect()) }, start);
  await untilDone({ what: "Waiting for topics", run: () => checkTopics(start) }, start);
  await untilDone({ what: "Cannot reach Kafka to produce", run: () => done(app.producer.connect()) }, start);
  if (isStopping()) return;
  await untilDone({ what: "Cannot join the group", run: () => done(app.member.consumer.start()) }, start);
  readiness.missing = "";
};

const startTimers = (app: App, onFatal: (error: Error) => void): (() => void) => {
  const { admin, member, config, log } = app;
  const onRemoved = (removed: Removed): void =>
    log.error(removed, "Kafka's retention removed records before they were delivered");
  const commit = setInterval(() => {
    if (app.member.membership.state === "owner") void app.member.commits.run();
  }, commitEveryMs);
  const ends = setInterval(() => {
    if (app.member.membership.state === "owner")
      askEnds({ admin, intake: member.intake, topics: config.topics, onRemoved, onFatal }).catch((error: unknown) =>
        app.log.debug({ err: error }, "Cannot ask for the ends of the logs"),
      );
  }, askEndsEveryMs);
  return () => {
    clearInterval(commit);
    clearInterval(ends);
  };
};

/** A courtesy to the brokers: everything is committed already. */
const sayGoodbye = async ({ member, producer, admin }: App): Promise<void> => {
  await member.consumer.stop();
  await producer.disconnect();
  await admin.close();
};

/**
 * Leaves in the one safe order: no new calls, calls in flight, commit, leave the group, close the connections. A broker that
 * does not answer is not waited for.
 */
const shutDown = async (app: App, ops: OpsServer): Promise<void> => {
  await app.member.membership.leave();
  app.settler.stop();
  await Promise.race([sayGoodbye(app), pause(goodbyeMs)]);
  await app.gainsight.close();
  await ops.close();
};

/** Starts the service: probes first, then Kafka as soon as it can be reached. Rejects only where its port is taken. */
export const startService = async (app: App, onFatal: (error: Error) => void): Promise<Service> => {
  const readiness = new Readiness();
  const ops = await openOps(app, readiness);
  let stopping: Promise<void> | undefined;
  const joined = join({ app, readiness, isStopping: () => stopping !== undefined, onFatal });
  joined.catch((error: unknown) => onFatal(error instanceof Error ? error : new Error(String(error))));
  const stopTimers = startTimers(app, onFatal);
  const stop = async (): Promise<void> => {
    readiness.missing = "Shutting down";
    stopTimers();
    await shutDown(app, ops);
  };
  return {
    url: ops.url,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
};
