import type { Fleet, Launch } from "./fleet.ts";
import type { Flow } from "./flow.ts";
import type { Fault, MainKind, SideKind } from "./schedule.ts";
import type { Stage } from "./stage.ts";
import type { Target } from "./target.ts";

/** All that a fault can lay hands on. */
export interface Scene {
  readonly stage: Stage;
  readonly target: Target;
  readonly fleet: Fleet;
  readonly flow: Flow;
  /** Users of these cohorts have failed for a while. */
  readonly unlucky: Set<number>;
  /** GAINSIGHT_TIMEOUT. */
  readonly timeoutMs: number;
  readonly wait: (ms: number) => Promise<void>;
  readonly say: (text: string) => void;
}

/** What was seen while the whole target was in trouble, once its start was over. */
export interface Held {
  readonly calls: number;
  readonly allowedCalls: number;
  /** Records written to tiers and dead letters. */
  readonly written: number;
}

/** What a fault left for the judge. */
export interface Played {
  /** The instance that was killed or frozen. */
  readonly crashed?: number;
  /** Where the fault was over before its play was: milliseconds since 1970. */
  readonly overAt?: number;
  readonly held?: Held;
  /** How long it took, in milliseconds, until an event of a new partition arrived; undefined: it never did. */
  readonly grown?: { readonly readAfterMs: number | undefined };
  /** Whether the hold `registry_down` was seen, and whether it ended after the registry's return. */
  readonly registry?: { readonly isSeen: boolean; readonly isOver: boolean };
}

/** A fault that is over. Times in milliseconds since 1970. */
export interface Drilled extends Omit<Played, "overAt"> {
  readonly kind: MainKind | SideKind;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Does one fault from its beginning to its end. */
export type Play = (fault: Pick<Fault, "lastsMs" | "pick">, scene: Scene) => Promise<Played>;

export const chooseInstance = ({ fleet }: Scene, pick: number): Launch => {
  const one = fleet.running[Math.floor(pick * fleet.running.length)];
  if (!one) throw new Error("Cannot choose an instance: none is running");
  return one;
};

export const secondsText = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
