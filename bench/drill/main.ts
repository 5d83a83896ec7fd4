import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { type DrillOptions, runDrill } from "./drill.ts";
import { formatReport } from "./report.ts";
import { planLong, planShort, type Schedule } from "./schedule.ts";

const usage = `Usage: npm run drill -- [--minutes 10 | --short] [--seed 1] [--rate 400] [--users 20000]
                        [--main dist/main.js] [--report <file>] [--logs <folder>]

Starts three brokers, a schema registry and several instances of the service. Produces events while faults happen in an
order that the seed decides. Then checks, without asking the service, what happened to every event.

  --minutes   length of the drill        --short    the shortest drill, as in the tests (about 80 s)
  --rate      events per second          --users    number of users
  --report    writes the report as JSON  --logs     keeps the logs of the instances in this folder
  --main      the program to run

Exit codes: 0 every promise was kept, 1 a promise was broken or the drill failed.`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    short: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    rate: { type: "string", default: "400" },
    users: { type: "string", default: "20000" },
    main: { type: "string", default: join(import.meta.dirname, "..", "..", "dist", "main.js") },
    report: { type: "string" },
    logs: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const numberOf = (name: string, value: string): number => {
  const number = Number(value);
  if (number > 0) return number;
  throw new Error(`Cannot use ${name}: got '${value}', want a number above 0`);
};

const isTty = process.stdout.isTTY;
const clearLine = isTty ? "\r\x1b[K" : "";

const onProgress: DrillOptions["onProgress"] = ({ produced, delivered, instances }) => {
  if (!isTty) return;
  process.stdout.write(`${clearLine}${produced} produced, ${delivered} delivered, ${instances} instances`);
};

const say = (line: string): void => console.log(`${clearLine}${line}`);

const showSchedule = ({ main, side, lengthMs }: Schedule, seed: number): void => {
  const kindsOf = (faults: readonly { kind: string }[]): string => faults.map(({ kind }) => kind).join(", ");
  say(
    `Seed ${seed}, ${Math.round(lengthMs / 1_000)} s. Faults, one after the other: ${kindsOf(main)}. At the same time: ${kindsOf(side)}`,
  );
};

const drill = async (): Promise<void> => {
  if (values.help) return console.log(usage);
  const seed = numberOf("--seed", values.seed);
  const minutes = numberOf("--minutes", values.minutes);
  const schedule = values.short ? planShort({ seed }) : planLong({ seed, minutes });
  showSchedule(schedule, seed);
  const report = await runDrill({
    schedule,
    seed,
    users: numberOf("--users", values.users),
    rate: numberOf("--rate", values.rate),
    main: resolve(values.main),
    ...(values.logs !== undefined && { logs: resolve(values.logs) }),
    say,
    onProgress,
  });
  console.log(`${clearLine}\n${formatReport(report)}`);
  if (values.report !== undefined) await writeFile(values.report, JSON.stringify(report, undefined, 2));
  if (!report.isKept) process.exitCode = 1;
};

try {
  await drill();
} catch (error) {
  console.error(`${clearLine}${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
