import { explainTrouble } from "../kafka/connection-error.ts";
import { isOwnError } from "../kafka/own-errors.ts";
import { type Principal, type Right, explainRefusal, grantCommand, topicRight } from "../kafka/topics/refusals.ts";
import { judgeRetention } from "../kafka/topics/retention.ts";
import { pause } from "./clock.ts";
import type { App } from "./compose.ts";
import type { Seen } from "./status.ts";

const retryPauseMs = 1_000;
const slowAfterMs = 2_000;

export interface Joining extends Seen {
  readonly isStopping: () => boolean;
  readonly onFatal: (error: Error) => void;
}

interface Step {
  /** Said while it does not work. */
  readonly what: string;
  /** Gives the problem where it has to be tried again. */
  readonly run: () => Promise<string | undefined>;
  /** The rights that it needs. */
  readonly needs?: readonly Right[];
}

const problemOf = (error: unknown, needs: readonly Right[], principal: Principal): string => {
  if (isOwnError(error)) throw error;
  return (
    explainRefusal(error, needs, principal) ?? explainTrouble(error instanceof Error ? error.message : String(error))
  );
};

/** Tries one step of the start until it works or the service is stopped; says what is missing meanwhile. */
const untilDone = async (step: Step, { app, readiness, isStopping }: Joining): Promise<void> => {
  const report = (problem: string): void => {
    const missing = `${step.what}: ${problem}`;
    if (readiness.missing !== missing) app.log.warn({ problem }, `${step.what}, trying on`);
    readiness.missing = missing;
  };
  while (!isStopping()) {
    // kafkajs tries for long before it gives up on a broker; nobody should have to guess meanwhile.
    app.trouble.last = undefined;
    const slow = setInterval(() => report(app.trouble.last ?? "no answer yet"), slowAfterMs);
    const problem = await step
      .run()
      .catch((error: unknown) => problemOf(error, step.needs ?? [], app.rights.principal))
      .finally(() => clearInterval(slow));
    if (problem === undefined) return;
    report(problem);
    await pause(retryPauseMs);
  }
};

/** All of them at once, so that nobody has to grant them one by one. */
const checkRights = async ({ app: { rights } }: Joining): Promise<string | undefined> => {
  await rights.ask();
  return rights.missing.length === 0 ? undefined : rights.missing.join("; ");
};

const checkRetention = async ({ app, onFatal }: Joining): Promise<string | undefined> => {
  const { retry: tiers, deadLetter } = app.config.topics;
  const configs = await app.admin.configs([...tiers.map(({ topic }) => topic), deadLetter]);
  if (configs === "refused") {
    const topics = [...tiers.map(({ topic }) => topic), deadLetter].map((name) => ({ kind: "topic", name }) as const);
    const command = grantCommand("DescribeConfigs", topics, app.rights.principal);
    app.log.info(
      `Kafka does not tell how long topics keep their records, so that is not checked: to let it, ${command}`,
    );
    return undefined;
  }
  const verdict = judgeRetention(configs, { tiers, deadLetter, maxAgeMs: app.config.retry.maxAgeMs });
  if (verdict.kind === "unfit") {
    onFatal(new Error(verdict.error));
    return verdict.error;
  }
  for (const warning of verdict.warnings) app.log.warn(warning);
  return undefined;
};

const done = async (work: Promise<void>): Promise<undefined> => {
  await work;
  return undefined;
};

const stepsOf = (joining: Joining): Step[] => {
  const { admin, member, config, topicWatch }: App = joining.app;
  const ours = [...config.topics.retry.map(({ topic }) => topic), config.topics.deadLetter];
  return [
    { what: "Cannot reach Kafka", run: () => done(admin.connect()) },
    { what: "Waiting for rights", run: () => checkRights(joining) },
    {
      what: "Waiting for topics",
      run: () => topicWatch.check(),
      needs: ours.map((topic) => topicRight("Create", topic)),
    },
    { what: "Cannot ask how long topics keep their records", run: () => checkRetention(joining) },
    {
      what: "Cannot join the group",
      run: async () => (await checkRights(joining)) ?? done(member.consumer.start()),
    },
  ];
};

/** Takes part: waits for Kafka and the topics, checks them, and joins the group. Ends early where the service is stopped. */
export const join = async (joining: Joining): Promise<void> => {
  for (const step of stepsOf(joining)) await untilDone(step, joining);
  if (!joining.isStopping()) joining.readiness.missing = "";
};
