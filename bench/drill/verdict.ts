import type { Allowance, Findings } from "./judge.ts";
import type { Recovery } from "./recovery.ts";
import type { Drilled } from "./scene.ts";
import type { Backlog } from "./stage.ts";

/** One promise of the service, and whether it was kept. */
export interface Row {
  readonly promise: string;
  readonly want: string;
  readonly got: string;
  readonly isKept: boolean;
}

/** What the drill saw beside the events. */
export interface Seen {
  readonly findings: Findings;
  readonly inversions: number;
  readonly drilled: readonly Drilled[];
  readonly recoveries: readonly Recovery[];
  readonly mishaps: readonly string[];
  readonly peakMegabytes: number;
  /** How long the rest took after the last event. */
  readonly drainedMs: number;
  /** What was not committed even then. */
  readonly left: readonly Backlog[];
  /** Events that are not in the source topic, though the drill's own producer was told so. */
  readonly unproduced: readonly string[];
}

const recoveryLimitMs = 10_000;
const growthLimitMs = 60_000;
const memoryLimitMegabytes = 200;

const none = (promise: string, got: number): Row => ({ promise, want: "0", got: String(got), isKept: got === 0 });

const atMost = (promise: string, { allowed, got }: Allowance, unit = ""): Row => ({
  promise,
  want: `≤ ${allowed}${unit}`,
  got: `${got}${unit}`,
  isKept: got <= allowed,
});

const eventRows = ({ findings, inversions, unproduced }: Seen): Row[] => [
  none("Lost: neither delivered, skipped nor dead", findings.lost.length),
  none("Out of order: first seen after a later one of its user", inversions),
  none("Delivered though skipped by rule, or never produced", findings.undue.length),
  none("Dead though nothing was wrong with it", findings.wronglyDead.length),
  none("Never in the source: the drill's own producer lost them", unproduced.length),
];

const duplicateRows = ({ findings: { duplicates, unexplained, deadTwice, deliveredAndDead } }: Seen): Row[] => [
  none("Twice without a crash: joins, leaves, restarts, holds", unexplained.length),
  atMost("Twice by kill -9 or freeze: in flight or since the last commit", duplicates.crash),
  atMost("Twice because the answer was lost", duplicates["answer lost"]),
  atMost("Twice because a broker was lost", duplicates["broker lost"]),
  atMost("Twice because a right was taken away", duplicates["right taken away"]),
  atMost("Twice because it is twice in the source", duplicates["produced twice"]),
  none("Dead twice without a crash", deadTwice.length),
  atMost("Delivered and dead all the same: by a crash, a lost answer, or twice in the source", {
    allowed: duplicates.crash.allowed + duplicates["answer lost"].allowed + duplicates["produced twice"].allowed,
    got: deliveredAndDead.length,
  }),
];

const heldRows = ({ drilled, recoveries }: Seen): Row[] => {
  const held = drilled.flatMap((one) => one.held ?? []);
  if (held.length === 0) return [];
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  const calls = {
    allowed: sum(held.map(({ allowedCalls }) => allowedCalls)),
    got: sum(held.map((one) => one.calls)),
  };
  const slowest = Math.max(
    ...recoveries.filter(({ drilled: { held: was } }) => was).map(({ halfRateMs }) => halfRateMs ?? Infinity),
  );
  return [
    none("Retry and dead-letter records during holds", sum(held.map(({ written }) => written))),
    atMost("Calls during holds", calls),
    atMost("Slowest return to half of the former rate", { allowed: recoveryLimitMs, got: slowest }, " ms"),
  ];
};

const registryRows = ({ drilled }: Seen): Row[] => {
  const outages = drilled.flatMap(({ registry }) => registry ?? []);
  if (outages.length === 0) return [];
  const good = outages.filter(({ isSeen, isOver }) => isSeen && isOver).length;
  const promise = "Registry outages that held, and ended with the registry's return";
  return [{ promise, want: String(outages.length), got: String(good), isKept: good === outages.length }];
};

const growthRows = ({ drilled }: Seen): Row[] => {
  const grown = drilled.flatMap((one) => one.grown ?? []);
  if (grown.length === 0) return [];
  const slowest = Math.max(...grown.map(({ readAfterMs }) => readAfterMs ?? Infinity));
  return [atMost("Slowest start on a new partition", { allowed: growthLimitMs, got: slowest }, " ms")];
};

const processRows = ({ drainedMs, left, mishaps, peakMegabytes }: Seen): Row[] => [
  {
    promise: "All is committed in the end, tiers included",
    want: "yes",
    got: `${left.length === 0 ? "" : "not even "}after ${(drainedMs / 1_000).toFixed(1)} s`,
    isKept: left.length === 0,
  },
  none("Processes that ended by themselves or not with exit code 0", mishaps.length),
  atMost("Peak memory of a process", { allowed: memoryLimitMegabytes, got: peakMegabytes }, " MB"),
];

/** Every promise that this drill could show. */
export const rowsOf = (seen: Seen): readonly Row[] => [
  ...eventRows(seen),
  ...duplicateRows(seen),
  ...heldRows(seen),
  ...registryRows(seen),
  ...growthRows(seen),
  ...processRows(seen),
];
