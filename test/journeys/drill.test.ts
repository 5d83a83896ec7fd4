import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { runDrill } from "../../bench/drill/drill.ts";
import { formatReport } from "../../bench/drill/report.ts";
import { planShort } from "../../bench/drill/schedule.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/*
 * The shortest drill, as in `npm run drill -- --short`: three brokers and three to four instances. An instance is
 * killed, one starts and one stops, a partition leader is killed, the registry is down, and Gainsight is down,
 * throttles, and rejects single users and events. No event is lost, out of order, or delivered twice without a known
 * cause.
 */
test("every promise is kept while faults happen", { timeout: 240_000 }, async () => {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const seed = 1;
  const options = { schedule: planShort({ seed }), seed, users: 20_000, rate: 250, main, say, onProgress: () => {} };
  const report = await runDrill(options);
  expect(report.isKept, `${lines.join("\n")}\n${formatReport(report)}`).toBe(true);
});
