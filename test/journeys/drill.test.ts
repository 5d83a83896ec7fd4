import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { runDrill } from "../../bench/drill/drill.ts";
import { formatReport } from "../../bench/drill/report.ts";
import { planShort } from "../../bench/drill/schedule.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/*
 * The shortest drill, as `npm run drill -- --short`: three brokers and three to four instances, while an instance is killed,
 * one joins and one leaves, the leader of a partition dies, the registry is away, and Gainsight is down, throttles, and
 * refuses single users and events. Judged from outside: nothing is lost, out of order, or twice without a reason.
 */
test("every promise is kept under fire", { timeout: 240_000 }, async () => {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const seed = 1;
  const options = { schedule: planShort({ seed }), seed, users: 20_000, rate: 250, main, say, onProgress: () => {} };
  const report = await runDrill(options);
  expect(report.isKept, `${lines.join("\n")}\n${formatReport(report)}`).toBe(true);
});
