import { type OpsServer, createOpsServer } from "../ops/ops-server.ts";
import { sleep } from "./clock.ts";
import type { App } from "./compose.ts";
import { type Liveness, createLiveness } from "./liveness.ts";
import { startPeriodicTasks } from "./periodic-tasks.ts";
import { readinessOf } from "./readiness.ts";
import { Readiness, type ServiceView } from "./service-view.ts";
import { snapshotOf } from "./snapshot.ts";
import { runStartup } from "./startup.ts";
import { statusOf } from "./status.ts";

const disconnectTimeoutMs = 3_000;

/** A running service. `stop` is idempotent and shared: whoever calls it waits for the same end. */
export interface Service {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const startOpsServer = (view: ServiceView, { check: live }: Liveness): Promise<OpsServer> => {
  const { config, metrics, log } = view.app;
  metrics.setSnapshotSource(() => snapshotOf(view.app));
  return createOpsServer({
    ...config.http,
    live,
    ready: () => readinessOf(view),
    status: () => statusOf(view),
    metrics,
    log,
  });
};

/** A courtesy to the brokers: everything is committed already. */
const disconnect = async ({ group, producers, admin }: App): Promise<void> => {
  await group.consumer.stop();
  await producers.close();
  await admin.close();
};

const throwTimedOut = (): never => {
  throw new Error(`No answer within ${disconnectTimeoutMs} ms`);
};

/**
 * Leaves in the one safe order: no new calls, calls in flight, commit, leave the group, close the connections. A broker that
 * does not answer is not waited for. Rejects only where the last commit has failed: what it was about is done again.
 */
export const shutDown = async (app: App, ops: Pick<OpsServer, "close">): Promise<void> => {
  const { rebalanceHandler, commits } = app.group;
  const wasOwner = rebalanceHandler.state === "owner";
  await rebalanceHandler.leave();
  app.publisher.stop();
  const isCommitted = !wasOwner || commits.isAllCommitted;
  await Promise.race([disconnect(app), sleep(disconnectTimeoutMs).then(throwTimedOut)]).catch((error: unknown) =>
    app.log.warn({ err: error }, "Cannot disconnect from the brokers; they close the connections themselves"),
  );
  app.settings.close();
  await app.gainsight.close();
  await ops.close();
  if (!isCommitted) throw new Error("Cannot commit what was finished last: it is delivered again after the next start");
};

/** Starts the service: probes first, then Kafka as soon as it can be reached. Rejects only where its port is taken. */
export const startService = async (app: App, onFatal: (error: Error) => void): Promise<Service> => {
  const view: ServiceView = { app, readiness: new Readiness() };
  const liveness = createLiveness(view);
  const ops = await startOpsServer(view, liveness);
  let stopping: Promise<void> | undefined;
  // Nobody waits for it: a record whose schema has not come yet asks for it by itself.
  void app.decoder.prewarm(app.config.topics.source);
  const startup = runStartup({ ...view, isStopping: () => stopping !== undefined, onFatal });
  startup.catch((error: unknown) => onFatal(error instanceof Error ? error : new Error(String(error))));
  const stopPeriodicTasks = startPeriodicTasks(app);
  const stopRightsChecks = app.rights.startChecking(() => app.group.rebalanceHandler.state === "owner");
  const stop = async (): Promise<void> => {
    view.readiness.startupProblem = "Shutting down";
    stopPeriodicTasks();
    stopRightsChecks();
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
