import { explainConnectionError } from "../kafka/connection-error.ts";
import { isProgrammingError } from "../kafka/own-errors.ts";
import { explainAuthorizationError, grantCommand } from "../kafka/rights/missing-right.ts";
import { type Principal, type Right, topicRight } from "../kafka/rights/rights.ts";
import { classifyRetention } from "../kafka/topics/retention.ts";
import { sleep } from "./clock.ts";
import type { App } from "./compose.ts";
import type { ServiceView } from "./status.ts";

const retryPauseMs = 1_000;
const slowAfterMs = 2_000;

export interface Startup extends ServiceView {
  readonly isStopping: () => boolean;
  readonly onFatal: (error: Error) => void;
}

interface StartupStep {
  /** Said while it does not work. */
  readonly label: string;
  /** Gives the problem where it has to be tried again. */
  readonly run: () => Promise<string | undefined>;
  /** The rights that it needs. */
  readonly requiredRights?: readonly Right[];
}

const problemSentence = (error: unknown, requiredRights: readonly Right[], principal: Principal): string => {
  if (isProgrammingError(error)) throw error;
  return (
    explainAuthorizationError(error, requiredRights, principal) ??
    explainConnectionError(error instanceof Error ? error.message : String(error))
  );
};

/** Tries one step of the start until it works or the service is stopped; says what is missing meanwhile. */
const retryUntilDone = async (step: StartupStep, { app, readiness, isStopping }: Startup): Promise<void> => {
  const report = (problem: string): void => {
    const missing = `${step.label}: ${problem}`;
    if (readiness.startupProblem !== missing) app.log.warn({ problem }, `${step.label}, trying on`);
    readiness.startupProblem = missing;
  };
  while (!isStopping()) {
    // kafkajs tries for long before it gives up on a broker; nobody should have to guess meanwhile.
    app.lastConnectionError.message = undefined;
    const slowTimer = setInterval(() => report(app.lastConnectionError.message ?? "no answer yet"), slowAfterMs);
    const problem = await step
      .run()
      .catch((error: unknown) => problemSentence(error, step.requiredRights ?? [], app.rights.principal))
      .finally(() => clearInterval(slowTimer));
    if (problem === undefined) return;
    report(problem);
    await sleep(retryPauseMs);
  }
};

/** All of them at once, so that nobody has to grant them one by one. */
const checkMissingRights = async ({ app: { rights } }: Startup): Promise<string | undefined> => {
  await rights.refresh();
  return rights.missing.length === 0 ? undefined : rights.missing.join("; ");
};

const checkRetention = async ({ app, onFatal }: Startup): Promise<string | undefined> => {
  const { retry: retryTopics, deadLetter } = app.config.topics;
  const configs = await app.admin.topicConfigs([...retryTopics.map(({ topic }) => topic), deadLetter]);
  if (configs === "refused") {
    const topics = [...retryTopics.map(({ topic }) => topic), deadLetter].map(
      (name) => ({ kind: "topic", name }) as const,
    );
    const command = grantCommand("DescribeConfigs", topics, app.rights.principal);
    app.log.info(
      `Kafka does not tell how long topics keep their records, so that is not checked: to let it, ${command}`,
    );
    return undefined;
  }
  const retention = classifyRetention(configs, { retryTopics, deadLetter, maxAgeMs: app.config.retry.maxAgeMs });
  if (retention.kind === "unfit") {
    onFatal(new Error(retention.error));
    return retention.error;
  }
  for (const warning of retention.warnings) app.log.warn(warning);
  return undefined;
};

const noProblem = async (work: Promise<void>): Promise<undefined> => {
  await work;
  return undefined;
};

const startupSteps = (startup: Startup): StartupStep[] => {
  const { admin, group: member, config, topicWatch }: App = startup.app;
  const ownTopics = [...config.topics.retry.map(({ topic }) => topic), config.topics.deadLetter];
  return [
    { label: "Cannot reach Kafka", run: () => noProblem(admin.connect()) },
    { label: "Waiting for rights", run: () => checkMissingRights(startup) },
    {
      label: "Waiting for topics",
      run: () => topicWatch.checkBeforeJoin(),
      requiredRights: ownTopics.map((topic) => topicRight("Create", topic)),
    },
    { label: "Cannot ask how long topics keep their records", run: () => checkRetention(startup) },
    {
      label: "Cannot join the group",
      run: async () => (await checkMissingRights(startup)) ?? noProblem(member.consumer.start()),
    },
  ];
};

/** Takes part: waits for Kafka and the topics, checks them, and joins the group. Ends early where the service is stopped. */
export const runStartup = async (startup: Startup): Promise<void> => {
  for (const step of startupSteps(startup)) await retryUntilDone(step, startup);
  if (!startup.isStopping()) startup.readiness.startupProblem = "";
};
