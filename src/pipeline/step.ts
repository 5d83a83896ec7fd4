import type { Call } from "../core/decide.ts";
import type { Dead, Delivered, Retry, Skipped } from "../core/outcome/outcome.ts";
import type { KeyQueue } from "../ordering/key-queues.ts";
import type { Assignment } from "./assignment.ts";
import type { WorkItem } from "./work-item.ts";

/** The head of a per-key queue in work. No later event of its user starts until the queue is given back. */
export interface Work {
  readonly assignment: Assignment;
  readonly queue: KeyQueue<WorkItem>;
}

/** What becomes of the head of a queue. `Pipeline` turns each kind into its effect. */
export type StepResult =
  | Call
  | Delivered
  | Skipped
  | Retry
  | Dead
  /** Another copy of the record counts, or the record is completed already. This copy is dropped. */
  | { readonly kind: "superseded" }
  /** An earlier event of the user waits in a retry topic. This one follows it there. */
  | { readonly kind: "follow"; readonly tier: number }
  /** Too many events of the user are queued. The head goes to the first retry topic. */
  | { readonly kind: "spill" }
  /** Nothing happened to the head. Its queue is ready again, before (`front`) or behind (`back`) all others. */
  | { readonly kind: "requeue"; readonly end: "front" | "back" }
  /** The head starts again after this many milliseconds. */
  | { readonly kind: "pause"; readonly ms: number };
