import type { HoldReason } from "../core/outcome/outcome.ts";
import { lagOf } from "../intake/owned-partition.ts";
import type { App } from "./compose.ts";

/** The progress of the start, written by `startup.ts` and `lifecycle.ts`. */
export class Readiness {
  /** Why the service does not take part yet, or not any more, as a sentence; undefined while it takes part. */
  startupProblem: string | undefined = "Starting";
}

/** The service as probes, metrics and people see it. */
export interface ServiceView {
  readonly app: App;
  readonly readiness: Readiness;
}

/** Why the stream is on hold; empty if it is not. */
export const activeHoldsOf = ({ gainsight, group, deadLetterLimit, settings, producerHealth }: App): HoldReason[] => [
  ...gainsight.delivery.holds,
  ...(group.schemaWait.isHeld ? (["registry_down"] as const) : []),
  ...(producerHealth.isHeld ? (["kafka_unwritable"] as const) : []),
  ...(deadLetterLimit.culprits.length > 0 ? (["flooded"] as const) : []),
  ...(settings.current.paused ? (["paused"] as const) : []),
];

/** How many users have events in the retry topics. */
export const parkedUsersOf = ({ group: { ingest } }: App): number =>
  [...new Set(ingest.openPartitions.map(({ backlog }) => backlog))].reduce((sum, { userCount }) => sum + userCount, 0);

/** Per owned partition, how many records are not completed. */
export const lagsOf = ({ group: { ingest } }: App) =>
  ingest.ownedPartitions.map((owned) => ({ topic: owned.topic, partition: owned.partition, lag: lagOf(owned) }));
