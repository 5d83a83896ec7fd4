import { type OpsServer, createOpsServer } from "../ops/http.ts";
import { pause } from "./clock.ts";
import type { App } from "./compose.ts";
import { type Liveness, createLiveness } from "./liveness.ts";
import { startTimers } from "./periodic-tasks.ts";
import { join } from "./startup.ts";
import { Readiness, type Seen, readyOf, snapshotOf, statusOf } from "./status.ts";

const goodbyeMs = 3_000;

/** A running service. `stop` is idempotent and shared: whoever calls it waits for the same end. */
export interface Service {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const openOps = (seen: Seen, { live }: Liveness): Promise<OpsServer> => {
  const { config, metrics, log } = seen.app;
  metrics.observe(() => snapshotOf(seen.app));
  return createOpsServer({
    ...config.http,
    live,
    ready: () => readyOf(seen),
    status: () => statusOf(seen),
    metrics,
    log,
  });
};

/** A courtesy to the brokers: everything is committed already. */
const sayGoodbye = async ({ member, producers, admin }: App): Promise<void> => {
  await member.consumer.stop();
  await producers.close();
  await admin.close();
};

const giveUp = (): never => {
  throw new Error(`No answer within ${goodbyeMs} ms`);
};

/**
 * Leaves in the one safe order: no new calls, calls in flight, commit, leave the group, close the connections. A broker that
 * does not answer is not waited for. Rejects only where the last commit has failed: what it was about is done again.
 */
export const shutDown = async (app: App, ops: Pick<OpsServer, "close">): Promise<void> => {
  const { membership, commits } = app.member;
  const wasOwner = membership.state === "owner";
  await membership.leave();
  app.settler.stop();
  const isCommitted = !wasOwner || commits.isAllCommitted;
  await Promise.race([sayGoodbye(app), pause(goodbyeMs).then(giveUp)]).catch((error: unknown) =>
    app.log.warn({ err: error }, "Cannot take leave of the brokers: they notice by themselves"),
  );
  app.settings.close();
  await app.gainsight.close();
  await ops.close();
  if (!isCommitted) throw new Error("Cannot commit what was finished last: it is delivered again after the next start");
};

/** Starts the service: probes first, then Kafka as soon as it can be reached. Rejects only where its port is taken. */
export const startService = async (app: App, onFatal: (error: Error) => void): Promise<Service> => {
  const seen: Seen = { app, readiness: new Readiness() };
  const liveness = createLiveness(seen);
  const ops = await openOps(seen, liveness);
  let stopping: Promise<void> | undefined;
  // Nobody waits for it: a record whose schema has not come yet asks for it by itself.
  void app.decoder.prewarm(app.config.topics.source);
  const joined = join({ ...seen, isStopping: () => stopping !== undefined, onFatal });
  joined.catch((error: unknown) => onFatal(error instanceof Error ? error : new Error(String(error))));
  const stopTimers = startTimers(app);
  const unwatchRights = app.rights.watch(() => app.member.membership.state === "owner");
  const stop = async (): Promise<void> => {
    seen.readiness.missing = "Shutting down";
    stopTimers();
    unwatchRights();
    liveness.close();
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
