import type { ConsumerLag } from "./cluster.ts";
import type { FaultRun } from "./context.ts";
import type { DuplicateAllowance, Findings } from "./findings.ts";
import type { Recovery } from "./recovery.ts";

/** One promise of the service, and whether it was kept. */
export interface PromiseRow {
  readonly promise: string;
  readonly want: string;
  readonly got: string;
  readonly isKept: boolean;
}

/** Everything that the promises are checked against. */
export interface DrillObservations {
  readonly findings: Findings;
  readonly inversions: number;
  readonly faultRuns: readonly FaultRun[];
  readonly recoveries: readonly Recovery[];
  readonly unexpectedExits: readonly string[];
  readonly peakMegabytes: number;
  /** Milliseconds from the last event until everything was committed. */
  readonly drainedMs: number;
  /** What was not committed within the limit. */
  readonly uncommitted: readonly ConsumerLag[];
  /** Acknowledged events that are not in the source topic: the drill's own producer has lost them. */
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
  noneRow("Lost: neither delivered, skipped nor dead-lettered", findings.lost.length),
  noneRow("Out of order: first delivered after a later event of the same user", inversions),
  noneRow("Delivered, but must be skipped or was never produced", findings.unexpectedDeliveries.length),
  noneRow("Dead-lettered without a reason", findings.wronglyDead.length),
  noneRow("Lost by the drill's own producer", unproduced.length),
];

const duplicateRows = ({
  findings: { duplicates, unexplained, deadTwice, deliveredAndDead },
}: DrillObservations): PromiseRow[] => [
  noneRow("Delivered twice without a crash", unexplained.length),
  atMostRow("Delivered twice after kill -9 or a freeze", duplicates.crash),
  atMostRow("Delivered twice after a lost response", duplicates["answer lost"]),
  atMostRow("Delivered twice after a broker failure", duplicates["broker lost"]),
  atMostRow("Delivered twice after a lost right", duplicates["right taken away"]),
  atMostRow("Delivered twice because it was produced twice", duplicates["produced twice"]),
  noneRow("Dead-lettered twice without a crash", deadTwice.length),
  atMostRow("Delivered and dead-lettered, after a crash, a lost response or double production", {
    allowed: duplicates.crash.allowed + duplicates["answer lost"].allowed + duplicates["produced twice"].allowed,
    got: deliveredAndDead.length,
  }),
];

const holdRows = ({ faultRuns, recoveries }: DrillObservations): PromiseRow[] => {
  const holds = faultRuns.flatMap(({ hold }) => hold ?? []);
  if (holds.length === 0) return [];
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  const calls = {
    allowed: sum(holds.map(({ allowedCalls }) => allowedCalls)),
    got: sum(holds.map((hold) => hold.calls)),
  };
  const slowest = Math.max(
    ...recoveries.filter(({ faultRun: { hold } }) => hold).map(({ halfRateMs }) => halfRateMs ?? Infinity),
  );
  return [
    noneRow("Retry and dead-letter records during holds", sum(holds.map(({ writtenRecords }) => writtenRecords))),
    atMostRow("Calls during holds", calls),
    atMostRow("Slowest recovery to half of the former rate", { allowed: recoveryLimitMs, got: slowest }, " ms"),
  ];
};

const registryRows = ({ faultRuns }: DrillObservations): PromiseRow[] => {
  const outages = faultRuns.flatMap(({ registry }) => registry ?? []);
  if (outages.length === 0) return [];
  const good = outages.filter(({ isSeen, isOver }) => isSeen && isOver).length;
  const promise = "Registry outages with a hold that ended when the registry was back";
  return [{ promise, want: String(outages.length), got: String(good), isKept: good === outages.length }];
};

const growthRows = ({ faultRuns }: DrillObservations): PromiseRow[] => {
  const grown = faultRuns.flatMap(({ addedPartition }) => addedPartition ?? []);
  if (grown.length === 0) return [];
  const slowest = Math.max(...grown.map(({ readAfterMs }) => readAfterMs ?? Infinity));
  return [atMostRow("Slowest first delivery from a new partition", { allowed: growthLimitMs, got: slowest }, " ms")];
};

const processRows = ({ drainedMs, uncommitted, unexpectedExits, peakMegabytes }: DrillObservations): PromiseRow[] => [
  {
    promise: "Everything is committed at the end, retry topics included",
    want: "yes",
    got: `${uncommitted.length === 0 ? "" : "not "}after ${(drainedMs / 1_000).toFixed(1)} s`,
    isKept: uncommitted.length === 0,
  },
  noneRow("Processes that ended by themselves or with an exit code other than 0", unexpectedExits.length),
  atMostRow("Peak memory of a process", { allowed: memoryLimitMegabytes, got: peakMegabytes }, " MB"),
];

/** A row for every promise that this drill could check. */
export const rowsOf = (observations: DrillObservations): readonly PromiseRow[] => [
  ...eventRows(observations),
  ...duplicateRows(observations),
  ...holdRows(observations),
  ...registryRows(observations),
  ...growthRows(observations),
  ...processRows(observations),
];
