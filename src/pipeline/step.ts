import type { Call } from "../core/decide.ts";
import type { Outcome } from "../core/outcome/outcome.ts";
import type { KeyQueue } from "../ordering/key-queues.ts";
import type { Assignment } from "./assignment.ts";
import type { WorkItem } from "./work-item.ts";

/** The head of a per-key queue, in work. No later event of the queue starts until this work ends. */
export interface Work {
  readonly assignment: Assignment;
  readonly queue: KeyQueue<WorkItem>;
}

/** The result of a step for the head of a queue. `Pipeline` applies the effect of each kind. */
export type StepResult =
  | Call
  | Outcome
  /** A newer copy of the record exists, or its event is completed already. This copy is dropped. */
  | { readonly kind: "superseded" }
  /** An earlier event of the user waits in retry topic number `tier`. This one follows it there. */
  | { readonly kind: "follow"; readonly tier: number }
  /** Too many events of the user are queued. The head goes to the first retry topic. */
  | { readonly kind: "spill" }
  /** The head is unchanged. Its queue is ready again, before (`front`) or behind (`back`) all others. */
  | { readonly kind: "requeue"; readonly end: "front" | "back" }
  /** The head starts again after this many milliseconds. */
  | { readonly kind: "wait"; readonly ms: number };
