import { describe, expect, it } from "vitest";

import { ConsumerRestart } from "../../../src/kafka/group/consumer-restart.ts";

const refusal = Object.assign(new Error("Not authorized"), { type: "GROUP_AUTHORIZATION_FAILED" });

type Answer = boolean | Error;

/** A consumer and a cluster with these answers, to each check and to each start in turn. */
const createWorld = ({ answers = [], starts = [] }: { answers?: Answer[]; starts?: (Error | undefined)[] }) => {
  const log: string[] = [];
  const fatal: Error[] = [];
  let now = 0;
  const consumerRestart: ConsumerRestart = new ConsumerRestart({
    mayStart: async () => {
      const answer = answers.shift() ?? true;
      log.push("ask");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    start: async () => {
      log.push("start");
      const failure = starts.shift();
      if (failure) throw failure;
    },
    pause: async (ms) => {
      now += ms;
      log.push(`pause ${ms}`);
    },
    monotonicNow: () => now,
    onProblem: (problem) => void log.push(`problem ${(problem as Error).message}`),
    onFatal: (error) => void fatal.push(error),
  });
  const pauses = (): string[] => log.filter((line) => line.startsWith("pause"));
  return { consumerRestart, log, fatal, pauses, wait: (ms: number) => void (now += ms) };
};

describe("ConsumerRestart", () => {
  it("reports the refusal, checks after a pause whether it may start, and starts then", async () => {
    const { consumerRestart, log } = createWorld({ answers: [false, false, true] });
    await consumerRestart.restart(refusal);
    const round = ["pause 1000", "ask"];
    expect(log).toEqual(["problem Not authorized", ...round, ...round, ...round, "start"]);
  });

  it("tries again after a failed check and a failed start, and reports both", async () => {
    const lost = Object.assign(new Error("Closed connection"), { name: "KafkaJSConnectionError" });
    const { consumerRestart, log, fatal } = createWorld({ answers: [lost], starts: [refusal] });
    await consumerRestart.restart(refusal);
    expect(log.filter((line) => line.startsWith("problem"))).toEqual([
      "problem Not authorized",
      "problem Closed connection",
      "problem Not authorized",
    ]);
    expect(log.at(-1)).toBe("start");
    expect(fatal).toEqual([]);
  });

  it("makes each pause longer if starts are refused soon, but not after a long run", async () => {
    const { consumerRestart, pauses, wait } = createWorld({});
    for (let refusals = 0; refusals < 5; refusals++) await consumerRestart.restart(refusal);
    expect(pauses()).toEqual([1, 2, 4, 8, 8].map((seconds) => `pause ${seconds}000`));
    wait(60_000);
    await consumerRestart.restart(refusal);
    expect(pauses().at(-1)).toBe("pause 1000");
  });

  it("continues if the next refusal comes before the start has ended", async () => {
    const { consumerRestart, log } = createWorld({});
    const start = consumerRestart.restart(refusal);
    const again = consumerRestart.restart(refusal);
    await Promise.all([start, again]);
    expect(log.filter((line) => line === "start")).toEqual(["start"]);

    const nested = createWorld({});
    let isFirst = true;
    const { consumerRestart: second } = nested;
    const push = nested.log.push.bind(nested.log);
    nested.log.push = (line) => {
      if (line === "start" && isFirst) {
        isFirst = false;
        void second.restart(refusal);
      }
      return push(line);
    };
    await second.restart(refusal);
    expect(nested.log.filter((line) => line === "start")).toHaveLength(2);
  });

  it.each([
    ["the check", { answers: [new TypeError("x is not a function")] }],
    ["the start", { starts: [new TypeError("x is not a function")] }],
  ])("ends the process at a programming error in %s, and does not try again", async (_, world) => {
    const { consumerRestart, fatal, log } = createWorld(world);
    await consumerRestart.restart(refusal);
    expect(fatal.map(({ message }) => message)).toEqual(["x is not a function"]);
    expect(log.filter((line) => line === "ask")).toHaveLength(1);
  });

  it("starts nothing after stop", async () => {
    const { consumerRestart, log } = createWorld({});
    const begun = consumerRestart.restart(refusal);
    consumerRestart.stop();
    await begun;
    expect(log).toEqual(["problem Not authorized", "pause 1000"]);
  });
});
