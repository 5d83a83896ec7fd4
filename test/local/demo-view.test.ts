import { PassThrough } from "node:stream";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { describeChanges, NO_PROGRESS, type Progress } from "../../local/demo-progress.ts";
import { createView, formatVerdict, type Screen, wrap } from "../../local/demo-view.ts";

const DOWN: Progress = { ...NO_PROGRESS, delivered: 40, breaker: "open", holds: ["target_down"], lag: 1_500 };
const VERDICT = { rows: [{ name: "lost", count: 1_234, level: "promise" as const }], broken: ["Lost: 1234 (a1)"] };

const openScreen = (terminal: { isTTY?: boolean; columns?: number } = {}): { screen: Screen; text: () => string } => {
  const stream = Object.assign(new PassThrough(), terminal);
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { screen: stream, text: () => Buffer.concat(chunks).toString() };
};

beforeEach(() => {
  vi.stubEnv("TERM", "xterm");
  vi.stubEnv("NO_COLOR", "");
});
afterEach(() => vi.unstubAllEnvs());

describe("createView() without a terminal", () => {
  test("writes plain lines with the time, the progress once per second, and nothing after stop()", () => {
    let time = 0;
    const { screen, text } = openScreen();
    const view = createView({ screen, total: 6_963, wallNow: () => time });
    view.show(DOWN);
    view.show(DOWN);
    time = 61_000;
    view.say("Gainsight goes down");
    view.show(DOWN);
    view.stop();
    view.say("too late");
    view.show(DOWN);
    const state = "  delivered 40 of 6,963, breaker open, holds target_down, retry 0, parked 0, lag 1,500";
    expect(text()).toBe(`0:00  ${state}\n1:01  Gainsight goes down\n1:01  ${state}\n`);
  });
});

describe("createView() on a terminal", () => {
  const play = (): string => {
    const { screen, text } = openScreen({ isTTY: true, columns: 60 });
    const view = createView({ screen, total: 100, wallNow: () => 0 });
    view.say("Gainsight goes down for 5 s: 503 to every call. The breaker opens.");
    view.show(DOWN);
    view.stop();
    return text();
  };

  test("shows a bar and the state, breaks long lines, and shows the cursor again", () => {
    const text = play();
    expect(text).toContain("delivered 40 of 100");
    expect(text).toContain("503 to every call. The\u001b[0K\n      breaker opens.");
    expect(text).toContain("breaker \u001b[31mopen");
    expect(text.lastIndexOf("\u001b[?25h")).toBeGreaterThan(text.lastIndexOf("\u001b[?25l"));
  });

  test("has no colours if NO_COLOR is set", () => {
    vi.stubEnv("NO_COLOR", "1");
    expect(play()).not.toContain("\u001b[31m");
  });
});

test("formatVerdict() has a line for each row and for each broken promise", () => {
  expect(formatVerdict(VERDICT, openScreen().screen)).toBe(
    "  lost                           1,234\n\nBroken promise: Lost: 1234 (a1)\n",
  );
  expect(formatVerdict({ ...VERDICT, broken: [] }, openScreen().screen)).toContain("Every promise was kept.");
});

test("wrap() breaks at spaces and leaves a long word whole", () => {
  expect(wrap("one two three incomprehensible four", 9)).toEqual(["one two", "three", "incomprehensible", "four"]);
});

test.each<[string, Progress, Progress, readonly string[]]>([
  ["no change", DOWN, { ...DOWN, delivered: 50 }, []],
  ["the breaker opens", NO_PROGRESS, DOWN, ["The circuit breaker is open: only single probe calls go out"]],
  [
    "the breaker closes",
    DOWN,
    { ...NO_PROGRESS, lag: 1_500 },
    ["The circuit breaker is closed: delivery continues with 1,500 waiting records"],
  ],
  [
    "throttling begins",
    NO_PROGRESS,
    { ...NO_PROGRESS, holds: ["throttled"] },
    ["Throttled: no calls go out until Retry-After has passed"],
  ],
  [
    "a user is parked",
    NO_PROGRESS,
    { ...NO_PROGRESS, parkedUsers: 1 },
    ["Events of 1 user wait in the retry topics, in order"],
  ],
  ["another user is parked", { ...NO_PROGRESS, parkedUsers: 1 }, { ...NO_PROGRESS, parkedUsers: 2 }, []],
  [
    "the last user is released",
    { ...NO_PROGRESS, parkedUsers: 2 },
    NO_PROGRESS,
    ["No user waits in the retry topics any more"],
  ],
])("describeChanges() reports: %s", (_change, before, now, lines) => {
  expect(describeChanges(before, now)).toEqual(lines);
});
