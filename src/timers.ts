import type { App } from "./app.ts";
import { type Removed, askEnds } from "./intake/ends.ts";
import { isOwnError } from "./kafka/own-errors.ts";

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
  const onFailed = (error: unknown): void => {
    if (!isOwnError(error)) return log.debug({ err: error }, "Cannot ask for the ends of the logs");
    return onFatal(error instanceof Error ? error : new Error(String(error)));
  };
  let asking: Promise<void> | undefined;
  // A cluster that is slow to answer must not be asked more and more.
  const askAll = (): void => {
    asking ??= askEnds({ admin, intake: member.intake, topics: config.topics, onRemoved, onFatal })
      .catch(onFailed)
      .finally(() => (asking = undefined));
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
