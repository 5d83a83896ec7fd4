import type { Fleet, Instance } from "./fleet.ts";
import type { EventFlow } from "./flow.ts";
import type { Fault, MainKind, SideKind } from "./schedule.ts";
import type { DrillCluster } from "./stage.ts";
import type { Target } from "./target.ts";

/** All that a fault can lay hands on. */
export interface DrillContext {
  readonly stage: DrillCluster;
  readonly target: Target;
  readonly fleet: Fleet;
  readonly flow: EventFlow;
  /** Users of these cohorts have failed for a while. */
  readonly unlucky: Set<number>;
  /** GAINSIGHT_TIMEOUT. */
  readonly timeoutMs: number;
  readonly wait: (ms: number) => Promise<void>;
  readonly say: (text: string) => void;
}

/** What was seen while the whole target was in trouble, once its start was over. */
export interface HoldObservation {
  readonly calls: number;
  readonly allowedCalls: number;
  /** Records written to tiers and dead letters. */
  readonly movedRecords: number;
}

/** What a fault left for the judge. */
export interface FaultEffect {
  /** The instance that was killed or frozen. */
  readonly crashed?: number;
  /** Where the fault was over before its play was: milliseconds since 1970. */
  readonly overAt?: number;
  readonly held?: HoldObservation;
  /** How long it took, in milliseconds, until an event of a new partition arrived; undefined: it never did. */
  readonly grown?: { readonly readAfterMs: number | undefined };
  /** Whether the hold `registry_down` was seen, and whether it ended after the registry's return. */
  readonly registry?: { readonly isSeen: boolean; readonly isOver: boolean };
}

/** A fault that is over. Times in milliseconds since 1970. */
export interface FaultRun extends Omit<FaultEffect, "overAt"> {
  readonly kind: MainKind | SideKind;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Does one fault from its beginning to its end. */
export type RunFault = (fault: Pick<Fault, "lastsMs" | "pick">, scene: DrillContext) => Promise<FaultEffect>;

export const chooseInstance = ({ fleet }: DrillContext, pick: number): Instance => {
  const instance = fleet.running[Math.floor(pick * fleet.running.length)];
  if (!instance) throw new Error("Cannot choose an instance: none is running");
  return instance;
};

export const secondsText = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
