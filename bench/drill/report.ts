import type { Ledger } from "./ledger.ts";
import { formatTable } from "./table.ts";
import { type PromiseRow, rowsOf, type DrillObservations } from "./verdict.ts";

/** What a drill has shown. */
export interface Report extends Omit<DrillObservations, "inversions"> {
  readonly seed: number;
  readonly inversions: Ledger["inversions"];
  readonly rows: readonly PromiseRow[];
  readonly isKept: boolean;
}

export const reportOf = ({
  seed,
  ledger,
  ...seen
}: Omit<Report, "rows" | "isKept" | "inversions"> & { ledger: Ledger }): Report => {
  const { inversions } = ledger;
  const rows = rowsOf({ ...seen, inversions: inversions.length });
  return { seed, ...seen, inversions, rows, isKept: rows.every(({ isKept }) => isKept) };
};

const seconds = (ms: number | undefined): string => (ms === undefined ? "never" : `${(ms / 1_000).toFixed(1)} s`);

const faultTable = ({ recoveries }: Report): string =>
  formatTable(
    ["fault", "lasted", "half the rate after", "caught up after", "calls", "written"],
    recoveries.map(({ drilled: { kind, startedAt, endedAt, held }, halfRateMs, caughtUpMs }) => [
      kind,
      seconds(endedAt - startedAt),
      seconds(halfRateMs),
      seconds(caughtUpMs),
      held ? `${held.calls}` : "",
      held ? `${held.movedRecords}` : "",
    ]),
  );

const countLine = ({ findings: { produced, delivered, skipped, dead, duplicates, unexplained } }: Report): string => {
  const twice = Object.values(duplicates).reduce((sum, { got }) => sum + got, unexplained.length);
  return `${produced} events: ${delivered} delivered (${twice} of them again), ${skipped} skipped, ${dead} dead-lettered`;
};

const shown = 10;

const evidenceOf = ({
  findings,
  inversions,
  uncommitted: left,
  unexpectedExits: mishaps,
}: Report): readonly string[] => {
  const { lost, unexpectedDeliveries: undue, wronglyDead, deadTwice, unexplained } = findings;
  const few = (title: string, all: readonly unknown[]): string[] =>
    all.slice(0, shown).map((one) => `${title}: ${typeof one === "string" ? one : JSON.stringify(one)}`);
  return [
    ...few("lost", lost),
    ...few("out of order", inversions),
    ...few("undue", undue),
    ...few("wrongly dead", wronglyDead),
    ...few("dead twice", deadTwice),
    ...few("twice", unexplained),
    ...few("left", left),
    ...mishaps,
  ];
};

/** The report for people. */
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
