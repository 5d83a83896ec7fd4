import { describe, expect, it } from "vitest";

import { Comeback } from "../../../src/kafka/group/restart.ts";

const refusal = Object.assign(new Error("Not authorized"), { type: "GROUP_AUTHORIZATION_FAILED" });

type Answer = boolean | Error;

/** A consumer and a cluster that answer as they are told to: first to each question, then to each start. */
const createWorld = ({ answers = [], starts = [] }: { answers?: Answer[]; starts?: (Error | undefined)[] }) => {
  const log: string[] = [];
  const fatal: Error[] = [];
  let now = 0;
  const comeback: Comeback = new Comeback({
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
    monotonic: () => now,
    onProblem: (problem) => void log.push(`problem ${(problem as Error).message}`),
    onFatal: (error) => void fatal.push(error),
  });
  const pauses = (): string[] => log.filter((line) => line.startsWith("pause"));
  return { comeback, log, fatal, pauses, wait: (ms: number) => void (now += ms) };
};

describe("Comeback", () => {
  it("tells the refusal, asks after a pause, and starts when the answer is yes", async () => {
    const { comeback, log } = createWorld({ answers: [false, false, true] });
    await comeback.begin(refusal);
    const round = ["pause 1000", "ask"];
    expect(log).toEqual(["problem Not authorized", ...round, ...round, ...round, "start"]);
  });

  it("tries again after a failed question and a failed start, and tells both", async () => {
    const lost = Object.assign(new Error("Closed connection"), { name: "KafkaJSConnectionError" });
    const { comeback, log, fatal } = createWorld({ answers: [lost], starts: [refusal] });
    await comeback.begin(refusal);
    expect(log.filter((line) => line.startsWith("problem"))).toEqual([
      "problem Not authorized",
      "problem Closed connection",
      "problem Not authorized",
    ]);
    expect(log.at(-1)).toBe("start");
    expect(fatal).toEqual([]);
  });

  it("pauses for longer each time that a start is refused soon, and not after a long run", async () => {
    const { comeback, pauses, wait } = createWorld({});
    for (let refusals = 0; refusals < 5; refusals++) await comeback.begin(refusal);
    expect(pauses()).toEqual([1, 2, 4, 8, 8].map((seconds) => `pause ${seconds}000`));
    wait(60_000);
    await comeback.begin(refusal);
    expect(pauses().at(-1)).toBe("pause 1000");
  });

  it("goes on when the refusal comes back before the start has ended", async () => {
    const { comeback, log } = createWorld({});
    const start = comeback.begin(refusal);
    const again = comeback.begin(refusal);
    await Promise.all([start, again]);
    expect(log.filter((line) => line === "start")).toEqual(["start"]);

    const nested = createWorld({});
    let isFirst = true;
    const { comeback: second } = nested;
    const push = nested.log.push.bind(nested.log);
    nested.log.push = (line) => {
      if (line === "start" && isFirst) {
        isFirst = false;
        void second.begin(refusal);
      }
      return push(line);
    };
    await second.begin(refusal);
    expect(nested.log.filter((line) => line === "start")).toHaveLength(2);
  });

  it.each([
    ["the question", { answers: [new TypeError("x is not a function")] }],
    ["the start", { starts: [new TypeError("x is not a function")] }],
  ])("ends the process for a mistake of ours in %s, and does not try again", async (_, world) => {
    const { comeback, fatal, log } = createWorld(world);
    await comeback.begin(refusal);
    expect(fatal.map(({ message }) => message)).toEqual(["x is not a function"]);
    expect(log.filter((line) => line === "ask")).toHaveLength(1);
  });

  it("starts nothing once it has been stopped", async () => {
    const { comeback, log } = createWorld({});
    const begun = comeback.begin(refusal);
    comeback.stop();
    await begun;
    expect(log).toEqual(["problem Not authorized", "pause 1000"]);
  });
});
