import type { HoldReason } from "../core/outcome/outcome.ts";
import { type OwnedPartition, lagOf, pauseReasons } from "../intake/owned-partition.ts";
import type { Culprit } from "../limits/dead-letter-counts.ts";
import type { MetricsSnapshot } from "../ops/gauges.ts";
import type { App } from "./compose.ts";
import { type ProgressReading, idleReasonOf } from "./stall-detector.ts";

/** What is still missing before the service takes part; empty when it does. */
export class Readiness {
  startupProblem = "Starting";
}

/** A service as it is seen from outside: by probes, Prometheus and people. */
export interface ServiceView {
  readonly app: App;
  readonly readiness: Readiness;
}

const activeHoldsOf = ({
  gainsight,
  group,
  deadLetterLimit: flood,
  settings,
  producerHealth: writes,
}: App): HoldReason[] => [
  ...gainsight.delivery.holds,
  ...(group.schemaWait.isHeld ? (["registry_down"] as const) : []),
  ...(writes.isHeld ? (["kafka_unwritable"] as const) : []),
  ...(flood.culprits.length > 0 ? (["flooded"] as const) : []),
  ...(settings.current.paused ? (["paused"] as const) : []),
];

const parkedUsersOf = ({ group: { ingest } }: App): number =>
  [...new Set(ingest.openPartitions.map(({ backlog }) => backlog))].reduce(
    (sum, { userCount: users }) => sum + users,
    0,
  );

const lagsOf = ({ group: { ingest } }: App) =>
  ingest.ownedPartitions.map((owned) => ({ topic: owned.topic, partition: owned.partition, lag: lagOf(owned) }));

const pausedPartitionsOf = ({ group: { ingest } }: Pick<App, "group">): Record<string, number> =>
  Object.fromEntries(
    pauseReasons.map((reason) => [reason, ingest.ownedPartitions.filter(({ pauses }) => pauses.has(reason)).length]),
  );

/** For the metrics. */
export const snapshotOf = (app: App): MetricsSnapshot => ({
  holds: activeHoldsOf(app),
  breaker: app.gainsight.delivery.breakerState,
  lag: lagsOf(app),
  parkedUsers: parkedUsersOf(app),
  heldRecords: app.budget.records,
  inFlight: app.gainsight.delivery.inFlight,
  concurrencyLimit: app.gainsight.delivery.concurrencyLimit,
  pausedPartitions: pausedPartitionsOf(app),
  unreadPartitions: app.topicWatch.unreadPartitions,
  unreadablePartitions: app.unreadableWatch.partitions,
  deadLetterCauses: app.deadLetterLimit.culprits.map((culprit) => ({
    scope: app.deadLetterLimit.isHeld ? "all" : "cause",
    ...culprit,
  })),
  areSettingsOk: app.settings.problem === undefined,
});

/** The tiers are read before the sources open. A registry that does not answer holds that up, and a hold is no lack of readiness. */
const isServing = ({ group: { rebalanceHandler: membership, ingest, schemaWait: schemas } }: App): boolean =>
  membership.state === "owner" && (ingest.areAllOpen || schemas.isHeld);

/** Why nothing goes at all. */
const startupProblemOf = ({ app, readiness: { startupProblem } }: ServiceView): string | undefined =>
  startupProblem || app.tokenProblem();

const notReadyReasonsOf = (view: ServiceView): string[] => {
  const { app } = view;
  const startupProblem = startupProblemOf(view);
  if (startupProblem !== undefined) return [startupProblem];
  if (app.watchdog.problem !== undefined) return [app.watchdog.problem];
  const reasons = [...app.rights.missing, ...app.topicWatch.problems];
  if (app.group.rebalanceHandler.state !== "owner")
    return [...reasons, `The group is ${app.group.rebalanceHandler.state}`];
  return isServing(app) ? reasons : [...reasons, "The retry tiers are being read"];
};

/** For `/readyz`. */
export const readinessOf = (view: ServiceView) => {
  const reasons = notReadyReasonsOf(view);
  const { topicWatch, unreadableWatch } = view.app;
  const warnings = [...topicWatch.warnings, ...unreadableWatch.warnings, ...view.app.deadLetterLimit.warnings];
  return {
    ok: reasons.length === 0,
    reasons,
    holds: activeHoldsOf(view.app),
    ...(warnings.length > 0 && { warnings }),
  };
};

const settingsStatusOf = ({ settings: { problem, changedAt: since } }: App) => ({
  ok: problem === undefined,
  ...(problem !== undefined && { problem }),
  since: new Date(since).toISOString(),
});

const deadLetterCauseOf = ({ topic, reason, rule, ...more }: Culprit) => ({
  topic,
  reason,
  rule: rule ?? null,
  ...more,
});

/** For `/api/status` and the page. */
export const statusOf = ({ app, readiness }: ServiceView) => ({
  ready: readinessOf({ app, readiness }).ok,
  missing: startupProblemOf({ app, readiness }),
  ...(app.rights.missing.length > 0 && { rights: app.rights.missing }),
  ...(app.unreadableWatch.partitions.length > 0 && { unreadable: app.unreadableWatch.partitions }),
  ...(app.deadLetterLimit.culprits.length > 0 && {
    deadLetterLimit: app.deadLetterLimit.culprits.map(deadLetterCauseOf),
  }),
  membership: app.group.rebalanceHandler.state,
  holds: activeHoldsOf(app),
  breaker: app.gainsight.delivery.breakerState,
  totals: app.metrics.totals(),
  inFlight: app.gainsight.delivery.inFlight,
  heldRecords: app.budget.records,
  parkedUsers: parkedUsersOf(app),
  settings: settingsStatusOf(app),
  lag: lagsOf(app),
});

/** For liveness: what moves, what is held, and what excuses standing still. */
export const progressOf = ({ app, readiness }: ServiceView): ProgressReading => {
  const { sessionGuard, group, metrics, budget } = app;
  const membership = group.rebalanceHandler.state;
  const idleReason = idleReasonOf({
    startupProblem: readiness.startupProblem,
    groupState: membership,
    // Where only the events of one cause wait, the others have to move.
    holds: activeHoldsOf(app).filter((hold) => hold !== "flooded" || app.deadLetterLimit.isHeld),
    // Only a member can lose contact; before the first join there was none.
    isSessionAlive: membership !== "owner" || !sessionGuard.isExpired,
  });
  // A partition that waits for room where nothing is held would wait for ever.
  const heldRecords = budget.records + (pausedPartitionsOf(app)["budget"] ?? 0);
  return { finishedRecords: metrics.progressCount(), heldRecords, idleReason };
};

const partitionDiagnosticsOf = ({
  topic,
  partition,
  tracker,
  backlog,
  endOffset: high,
  pauses,
  backlogScan: scan,
}: OwnedPartition) => ({
  topic,
  partition,
  position: tracker?.position ?? scan?.position,
  mark: tracker?.committableOffset,
  high,
  pauses: [...pauses.keys()],
  parkedUsers: backlog?.userCount,
});

/** For the log, where the service stands still and nobody knows why. Without users, keys and payloads. */
export const diagnosticsOf = ({ app }: ServiceView) => ({
  membership: app.group.rebalanceHandler.state,
  holds: activeHoldsOf(app),
  breaker: app.gainsight.delivery.breakerState,
  gate: app.gainsight.delivery.state,
  inFlight: app.gainsight.delivery.inFlight,
  working: app.scheduler.headsInWork,
  heldRecords: app.budget.records,
  heldBytes: app.budget.bytes,
  partitions: app.group.ingest.ownedPartitions.map(partitionDiagnosticsOf),
});
