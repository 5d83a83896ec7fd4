/** A hand-made fault: a text that is in the source file once, and its replacement. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Each fault loses, duplicates, delays or reorders events; the property test of the pipeline must catch it. */
export const mutants: readonly Mutant[] = [
  {
    name: "a late acknowledgement of an earlier generation counts",
    file: "src/pipeline/settle-step.ts",
    find: "if (offset === undefined || !assignment.isCurrentGeneration) return;",
    replace: "if (offset === undefined) return;",
  },
  {
    name: "the budget is not returned for a copy that has moved on",
    file: "src/pipeline/settle-step.ts",
    find: "of assignment.queues.peekRun(queue, count, allItems)) this.#release(item);",
    replace:
      "of assignment.queues.peekRun(queue, count, allItems))\n      item.owned.tracker.complete(item.entry, item.parsed.retryState.source.index);",
  },
  {
    name: "the committable offset is one too high",
    file: "src/offsets/tracker.ts",
    find: "return this.#entries.peekFront()?.offset ?? this.#position;",
    replace: "return (this.#entries.peekFront()?.offset ?? this.#position) + 1;",
  },
  {
    name: "a late acknowledgement overwrites the position of a copy that was moved on",
    file: "src/pipeline/settle-step.ts",
    find: 'if (!failure || checkBacklog(item).kind === "superseded") continue;',
    replace: "if (!failure) continue;",
  },
  {
    name: "no record is ever on its way to a retry topic",
    file: "src/pipeline/await-turn-step.ts",
    find: "return queues.isBusy(sourceQueueKeyOf(owned, parsed.user));",
    replace: "return false;",
  },
  {
    name: "deduplication remembers no message id",
    file: "src/limits/dedupe.ts",
    find: "ids.add(messageId, Math.floor(wallNow / 1_000), this.#windowStartSeconds(this.#rules, wallNow));",
    replace: "",
  },
  {
    name: "a hold counts an attempt",
    file: "src/pipeline/deliver-step.ts",
    find: "head.wasHeld = true;",
    replace: "head.wasHeld = true;\n    head.quickAttemptsUsed++;",
  },
  {
    name: "nothing checks whether waiting partitions may resume",
    file: "src/pipeline/scheduler.ts",
    find: "this.#options.recheckWaiting();",
    replace: "",
  },
  {
    name: "the delay of a retry topic's next record is over, and nothing resumes the partition",
    file: "src/intake/admission.ts",
    find: 'schedule(remainingMs, () => pauses.review(["due"]));',
    replace: "schedule(remainingMs, () => undefined);",
  },
  {
    name: "events that an earlier owner completed are processed again",
    file: "src/offsets/completed-map.ts",
    find: "return decode?.(commitOffset, text.slice(3)) ?? new Set();",
    replace: "return new Set();",
  },
];
