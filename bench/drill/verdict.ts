import type { DuplicateAllowance, Findings } from "./judge.ts";
import type { Recovery } from "./recovery.ts";
import type { FaultRun } from "./scene.ts";
import type { ConsumerLag } from "./stage.ts";

/** One promise of the service, and whether it was kept. */
export interface PromiseRow {
  readonly promise: string;
  readonly want: string;
  readonly got: string;
  readonly isKept: boolean;
}

/** What the drill saw beside the events. */
export interface DrillObservations {
  readonly findings: Findings;
  readonly inversions: number;
  readonly faultRuns: readonly FaultRun[];
  readonly recoveries: readonly Recovery[];
  readonly unexpectedExits: readonly string[];
  readonly peakMegabytes: number;
  /** How long the rest took after the last event. */
  readonly drainedMs: number;
  /** What was not committed even then. */
  readonly uncommitted: readonly ConsumerLag[];
  /** Events that are not in the source topic, though the drill's own producer was told so. */
  readonly unproduced: readonly string[];
}

const recoveryLimitMs = 10_000;
const growthLimitMs = 60_000;
const memoryLimitMegabytes = 200;

const noneRow = (promise: string, got: number): PromiseRow => ({
  promise,
  want: "0",
  got: String(got),
  isKept: got === 0,
});

const atMostRow = (promise: string, { allowed, got }: DuplicateAllowance, unit = ""): PromiseRow => ({
  promise,
  want: `≤ ${allowed}${unit}`,
  got: `${got}${unit}`,
  isKept: got <= allowed,
});

const eventRows = ({ findings, inversions, unproduced }: DrillObservations): PromiseRow[] => [
  noneRow("Lost: neither delivered, skipped nor dead", findings.lost.length),
  noneRow("Out of order: first seen after a later one of its user", inversions),
  noneRow("Delivered though skipped by rule, or never produced", findings.unexpectedDeliveries.length),
  noneRow("Dead though nothing was wrong with it", findings.wronglyDead.length),
  noneRow("Never in the source: the drill's own producer lost them", unproduced.length),
];

const duplicateRows = ({
  findings: { duplicates, unexplained, deadTwice, deliveredAndDead },
}: DrillObservations): PromiseRow[] => [
  noneRow("Twice without a crash: joins, leaves, restarts, holds", unexplained.length),
  atMostRow("Twice by kill -9 or freeze: in flight or since the last commit", duplicates.crash),
  atMostRow("Twice because the answer was lost", duplicates["answer lost"]),
  atMostRow("Twice because a broker was lost", duplicates["broker lost"]),
  atMostRow("Twice because a right was taken away", duplicates["right taken away"]),
  atMostRow("Twice because it is twice in the source", duplicates["produced twice"]),
  noneRow("Dead twice without a crash", deadTwice.length),
  atMostRow("Delivered and dead all the same: by a crash, a lost answer, or twice in the source", {
    allowed: duplicates.crash.allowed + duplicates["answer lost"].allowed + duplicates["produced twice"].allowed,
    got: deliveredAndDead.length,
  }),
];

const heldRows = ({ faultRuns: drilled, recoveries }: DrillObservations): PromiseRow[] => {
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
    noneRow("Retry and dead-letter records during holds", sum(held.map(({ movedRecords: written }) => written))),
    atMostRow("Calls during holds", calls),
    atMostRow("Slowest return to half of the former rate", { allowed: recoveryLimitMs, got: slowest }, " ms"),
  ];
};

const registryRows = ({ faultRuns: drilled }: DrillObservations): PromiseRow[] => {
  const outages = drilled.flatMap(({ registry }) => registry ?? []);
  if (outages.length === 0) return [];
  const good = outages.filter(({ isSeen, isOver }) => isSeen && isOver).length;
  const promise = "Registry outages that held, and ended with the registry's return";
  return [{ promise, want: String(outages.length), got: String(good), isKept: good === outages.length }];
};

const growthRows = ({ faultRuns: drilled }: DrillObservations): PromiseRow[] => {
  const grown = drilled.flatMap((one) => one.grown ?? []);
  if (grown.length === 0) return [];
  const slowest = Math.max(...grown.map(({ readAfterMs }) => readAfterMs ?? Infinity));
  return [atMostRow("Slowest start on a new partition", { allowed: growthLimitMs, got: slowest }, " ms")];
};

const processRows = ({
  drainedMs,
  uncommitted: left,
  unexpectedExits: mishaps,
  peakMegabytes,
}: DrillObservations): PromiseRow[] => [
  {
    promise: "All is committed in the end, tiers included",
    want: "yes",
    got: `${left.length === 0 ? "" : "not even "}after ${(drainedMs / 1_000).toFixed(1)} s`,
    isKept: left.length === 0,
  },
  noneRow("Processes that ended by themselves or not with exit code 0", mishaps.length),
  atMostRow("Peak memory of a process", { allowed: memoryLimitMegabytes, got: peakMegabytes }, " MB"),
];

/** Every promise that this drill could show. */
export const rowsOf = (seen: DrillObservations): readonly PromiseRow[] => [
  ...eventRows(seen),
  ...duplicateRows(seen),
  ...heldRows(seen),
  ...registryRows(seen),
  ...growthRows(seen),
  ...processRows(seen),
];
