import type { MemoryBudget } from "../limits/memory-budget.ts";
import type { OffsetEntry } from "../offsets/tracker.ts";
import type { WorkItem } from "./work-item.ts";

/**
 * Reserves memory budget for the events in flight. The record of a list is reserved once, until the last of its events is
 * completed.
 */
export class Reservations {
  readonly #budget: MemoryBudget;
  readonly #reservedLists = new WeakSet<OffsetEntry>();

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  reserve({ entry, bytes, sharedBytes }: WorkItem): void {
    this.#budget.reserve(bytes);
    if (sharedBytes === 0 || this.#reservedLists.has(entry)) return;
    this.#reservedLists.add(entry);
    this.#budget.reserve(sharedBytes, 0);
  }

  release({ entry, bytes, sharedBytes }: WorkItem): void {
    this.#budget.release(bytes);
    if (sharedBytes > 0 && entry.openEvents === 0) this.#budget.release(sharedBytes, 0);
  }
}
