import type { App } from "./compose.ts";

const commitEveryMs = 1_000;
const askEveryMs = 10_000;
/** Nothing is asked as long as everything can be read. */
const askForSkipsEveryMs = 2_000;
const relieveEveryMs = 250;

/** What a member at work does all the time. Returns the function that ends it. */
export const startTimers = ({
  member,
  topicWatch,
  unreadableWatch,
}: Pick<App, "member" | "topicWatch" | "unreadableWatch">): (() => void) => {
  const everyWhileOwner = (ms: number, run: () => void): NodeJS.Timeout =>
    setInterval(() => {
      if (member.membership.state === "owner") run();
    }, ms);
  const timers = [
    everyWhileOwner(commitEveryMs, () => void member.commits.run()),
    everyWhileOwner(relieveEveryMs, () => member.intake.relieve()),
    everyWhileOwner(askForSkipsEveryMs, () => void unreadableWatch.run()),
    // Also while the group joins: it may wait for a topic that has to be made.
    setInterval(() => void topicWatch.run(), askEveryMs),
  ];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
};
