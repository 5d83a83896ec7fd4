import type { App } from "./app.ts";
import { type Removed, askEnds } from "./intake/ends.ts";

const commitEveryMs = 1_000;
const askEndsEveryMs = 10_000;
const relieveEveryMs = 250;

/** What a member at work does all the time. Returns the function that ends it. */
export const startTimers = (
  app: Pick<App, "admin" | "member" | "config" | "log">,
  onFatal: (error: Error) => void,
): (() => void) => {
  const { admin, member, config, log } = app;
  const onRemoved = (removed: Removed): void =>
    log.error(removed, "Kafka's retention removed records before they were delivered");
  const askAll = (): void => {
    askEnds({ admin, intake: member.intake, topics: config.topics, onRemoved, onFatal }).catch((error: unknown) =>
      log.debug({ err: error }, "Cannot ask for the ends of the logs"),
    );
  };
  const everyWhileOwner = (ms: number, run: () => void): NodeJS.Timeout =>
    setInterval(() => {
      if (member.membership.state === "owner") run();
    }, ms);
  const timers = [
    everyWhileOwner(commitEveryMs, () => void member.commits.run()),
    everyWhileOwner(askEndsEveryMs, askAll),
    everyWhileOwner(relieveEveryMs, () => member.intake.relieve()),
  ];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
};
