import type { Ledger } from "./ledger.ts";
import { formatTable } from "./table.ts";
import { type PromiseRow, rowsOf, type DrillObservations } from "./verdict.ts";

/** The result of a drill. */
export interface Report extends Omit<DrillObservations, "inversions"> {
  readonly seed: number;
  readonly inversions: Ledger["inversions"];
  readonly rows: readonly PromiseRow[];
  readonly isKept: boolean;
}

export const reportOf = ({
  seed,
  ledger,
  ...observations
}: Omit<Report, "rows" | "isKept" | "inversions"> & { ledger: Ledger }): Report => {
  const { inversions } = ledger;
  const rows = rowsOf({ ...observations, inversions: inversions.length });
  return { seed, ...observations, inversions, rows, isKept: rows.every(({ isKept }) => isKept) };
};

const seconds = (ms: number | undefined): string => (ms === undefined ? "never" : `${(ms / 1_000).toFixed(1)} s`);

const faultTable = ({ recoveries }: Report): string =>
  formatTable(
    ["fault", "lasted", "half the rate after", "caught up after", "calls", "records written"],
    recoveries.map(({ faultRun: { kind, startedAt, endedAt, hold }, halfRateMs, caughtUpMs }) => [
      kind,
      seconds(endedAt - startedAt),
      seconds(halfRateMs),
      seconds(caughtUpMs),
      hold ? `${hold.calls}` : "",
      hold ? `${hold.writtenRecords}` : "",
    ]),
  );

const countLine = ({ findings: { produced, delivered, skipped, dead, duplicates, unexplained } }: Report): string => {
  const duplicateCount = Object.values(duplicates).reduce((sum, { got }) => sum + got, unexplained.length);
  return `${produced} events: ${delivered} delivered (and ${duplicateCount} duplicates), ${skipped} skipped, ${dead} dead-lettered`;
};

const shown = 10;

const evidenceOf = ({ findings, inversions, uncommitted, unexpectedExits }: Report): readonly string[] => {
  const { lost, unexpectedDeliveries, wronglyDead, deadTwice, unexplained } = findings;
  const few = (title: string, all: readonly unknown[]): string[] =>
    all.slice(0, shown).map((one) => `${title}: ${typeof one === "string" ? one : JSON.stringify(one)}`);
  return [
    ...few("lost", lost),
    ...few("out of order", inversions),
    ...few("unexpected delivery", unexpectedDeliveries),
    ...few("wrong dead letter", wronglyDead),
    ...few("dead-lettered twice", deadTwice),
    ...few("unexplained duplicate", unexplained),
    ...few("not committed", uncommitted),
    ...unexpectedExits,
  ];
};

/** The report as text. */
export const formatReport = (report: Report): string => {
  const { rows, seed, isKept } = report;
  const promises = formatTable(
    ["promise", "want", "got", ""],
    rows.map((row) => [row.promise, row.want, row.got, row.isKept ? "kept" : "BROKEN"]),
  );
  const broken = rows.filter((row) => !row.isKept).length;
  const verdict = isKept ? "Every promise was kept" : `${broken} of ${rows.length} promises were broken`;
  return [
    faultTable(report),
    "",
    promises,
    "",
    ...evidenceOf(report),
    countLine(report),
    `${verdict}. Seed ${seed}`,
  ].join("\n");
};
