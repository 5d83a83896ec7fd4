/** A fault made by hand: one place in the source, and what stands there instead. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Each of them loses, doubles, delays or reorders events, and must be caught by the property test of the pipeline. */
export const mutants: readonly Mutant[] = [
  {
    name: "a late acknowledgement of an old assignment counts",
    file: "src/pipeline/settle-step.ts",
    find: "if (offset === undefined || !assignment.isLive) return;",
    replace: "if (offset === undefined) return;",
  },
  {
    name: "the budget is not returned for a copy that has moved on",
    file: "src/pipeline/settle-step.ts",
    find: "() => true)) this.#letGo(held);",
    replace: "() => true)) held.inlet.tracker.finish(held.slot, held.arrival.past.origin.index);",
  },
  {
    name: "the committable offset is one too far",
    file: "src/offsets/tracker.ts",
    find: "return this.#open.peek()?.offset ?? this.position;",
    replace: "return (this.#open.peek()?.offset ?? this.position) + 1;",
  },
  {
    name: "a late acknowledgement overwrites the place of a copy that went on",
    file: "src/pipeline/settle-step.ts",
    find: 'if (!failure || turnOf(held).kind === "superseded") continue;',
    replace: "if (!failure) continue;",
  },
  {
    name: "no record is ever on its way to a retry topic",
    file: "src/pipeline/hot-keys.ts",
    find: "return lanes.isTaken(sourceLaneOf(inlet, arrival.user));",
    replace: "return false;",
  },
  {
    name: "deduplication never remembers",
    file: "src/limits/dedupe.ts",
    find: "ids.add(messageId, Math.floor(now / 1_000), this.#since(this.#rules, now));",
    replace: "",
  },
  {
    name: "a hold counts an attempt",
    file: "src/pipeline/deliver-step.ts",
    find: "held.wasHeld = true;",
    replace: "held.wasHeld = true;\n    held.quickAttempts++;",
  },
  {
    name: "nobody asks whether more may come in",
    file: "src/pipeline/pipeline.ts",
    find: "this.#options.review();",
    replace: "",
  },
  {
    name: "a retry topic's next record is due, and nobody asks",
    file: "src/intake/admission.ts",
    find: 'schedule(dueIn, () => pauses.review(["due"]));',
    replace: "schedule(dueIn, () => undefined);",
  },
  {
    name: "what an earlier owner has finished is done again",
    file: "src/offsets/completed-map.ts",
    find: "return read?.(mark, text.slice(3)) ?? new Set();",
    replace: "return new Set();",
  },
];
