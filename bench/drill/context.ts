import type { DrillCluster } from "./cluster.ts";
import type { Fleet, Instance } from "./fleet.ts";
import type { EventFlow } from "./flow.ts";
import type { Fault, MainKind, SideKind } from "./schedule.ts";
import type { Target } from "./target.ts";

/** What a fault can use. */
export interface DrillContext {
  readonly cluster: DrillCluster;
  readonly target: Target;
  readonly fleet: Fleet;
  readonly flow: EventFlow;
  /** Cohorts whose users have failed for a while. */
  readonly failedCohorts: Set<number>;
  /** GAINSIGHT_TIMEOUT. */
  readonly timeoutMs: number;
  readonly wait: (ms: number) => Promise<void>;
  readonly say: (text: string) => void;
}

/** What the service did while it had to hold, without the first moments of the outage. */
export interface HoldObservation {
  readonly calls: number;
  readonly allowedCalls: number;
  /** Records written to retry and dead-letter topics. */
  readonly writtenRecords: number;
}

/** What the evaluation must know about a fault. */
export interface FaultEffect {
  /** The instance that was killed or frozen. */
  readonly crashedInstance?: number;
  /** When the fault was over, if earlier than its run: milliseconds since 1970. */
  readonly overAt?: number;
  readonly hold?: HoldObservation;
  /** Milliseconds until an event of the new partition arrived; undefined if none did. */
  readonly addedPartition?: { readonly readAfterMs: number | undefined };
  /** Whether the hold `registry_down` was seen, and whether it ended when the registry was back. */
  readonly registry?: { readonly isSeen: boolean; readonly isOver: boolean };
}

/** A fault that is over. Times in milliseconds since 1970. */
export interface FaultRun extends Omit<FaultEffect, "overAt"> {
  readonly kind: MainKind | SideKind;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Runs one fault from its start to its end. */
export type RunFault = (fault: Pick<Fault, "lastsMs" | "pick">, context: DrillContext) => Promise<FaultEffect>;

export const chooseInstance = ({ fleet }: DrillContext, pick: number): Instance => {
  const instance = fleet.running[Math.floor(pick * fleet.running.length)];
  if (!instance) throw new Error("Cannot choose an instance: none is running");
  return instance;
};

export const secondsText = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
