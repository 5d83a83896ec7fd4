import { type OwnedPartition, pauseReasons } from "../intake/owned-partition.ts";
import type { MetricsSnapshot } from "../ops/gauges.ts";
import type { App } from "./compose.ts";
import { activeHoldsOf, lagsOf, parkedUsersOf } from "./service-view.ts";

/** How many owned partitions are paused, by reason. One partition may be paused for several reasons. */
export const pausedPartitionsOf = ({ group: { ingest } }: Pick<App, "group">): Record<string, number> =>
  Object.fromEntries(
    pauseReasons.map((reason) => [reason, ingest.ownedPartitions.filter(({ pauses }) => pauses.has(reason)).length]),
  );

/** The values of the gauges. */
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

const partitionDiagnosticsOf = (owned: OwnedPartition) => ({
  topic: owned.topic,
  partition: owned.partition,
  position: owned.tracker?.position ?? owned.backlogScan?.position,
  mark: owned.tracker?.committableOffset,
  high: owned.endOffset,
  pauses: [...owned.pauses.keys()],
  parkedUsers: owned.backlog?.userCount,
});

/** The log fields that show why the service makes no progress. They contain no users, keys or payloads. */
export const diagnosticsOf = (app: App) => ({
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
