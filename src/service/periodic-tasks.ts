import type { App } from "./compose.ts";

const commitEveryMs = 1_000;
const checkTopicsEveryMs = 10_000;
/** Nothing is asked as long as everything can be read. */
const checkSkipsEveryMs = 2_000;
const spillEveryMs = 250;

/** What a member at work does all the time. Returns the function that ends it. */
export const startPeriodicTasks = ({
  group,
  topicWatch,
  unreadableWatch,
}: Pick<App, "group" | "topicWatch" | "unreadableWatch">): (() => void) => {
  const everyMsWhileOwner = (ms: number, run: () => void): NodeJS.Timeout =>
    setInterval(() => {
      if (group.rebalanceHandler.state === "owner") run();
    }, ms);
  const timers = [
    everyMsWhileOwner(commitEveryMs, () => void group.commits.commitNow()),
    everyMsWhileOwner(spillEveryMs, () => group.ingest.reviewPeriodically()),
    everyMsWhileOwner(checkSkipsEveryMs, () => void unreadableWatch.check()),
    // Also while the group joins: it may wait for a topic that has to be made.
    setInterval(() => void topicWatch.checkNow(), checkTopicsEveryMs),
  ];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
};
