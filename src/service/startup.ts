import { toError } from "../core/to-error.ts";
import { explainConnectionError } from "../kafka/connection-error.ts";
import { isProgrammingError } from "../kafka/own-errors.ts";
import { explainAuthorizationError, grantCommand } from "../kafka/rights/missing-right.ts";
import { type Principal, type Right, topicRight } from "../kafka/rights/rights.ts";
import { type RetentionVerdict, classifyRetention } from "../kafka/topics/retention.ts";
import { sleep } from "./clock.ts";
import type { App } from "./compose.ts";
import type { ServiceView } from "./service-view.ts";

const retryPauseMs = 1_000;
const slowAfterMs = 2_000;

export interface Startup extends ServiceView {
  readonly isStopping: () => boolean;
  readonly onFatal: (error: Error) => void;
}

interface StartupStep {
  /** What does not work yet, for the log and `/readyz`. */
  readonly label: string;
  /** Resolves with undefined if the step is done, and with the problem if it must be retried. May throw instead. */
  readonly run: () => Promise<string | undefined>;
  /** The rights that the step needs: an authorization error names them. */
  readonly requiredRights?: readonly Right[];
}

const problemSentence = (error: unknown, requiredRights: readonly Right[], principal: Principal): string => {
  if (isProgrammingError(error)) throw error;
  return explainAuthorizationError(error, requiredRights, principal) ?? explainConnectionError(toError(error).message);
};

/** Retries one step until it is done or the service stops. Meanwhile it reports the problem. */
const retryUntilDone = async (step: StartupStep, { app, readiness, isStopping }: Startup): Promise<void> => {
  const report = (problem: string): void => {
    const sentence = `${step.label}: ${problem}`;
    if (readiness.startupProblem !== sentence) app.log.warn({ problem }, `${step.label}; retrying`);
    readiness.startupProblem = sentence;
  };
  while (!isStopping()) {
    // kafkajs retries for a long time before it gives up on a broker. Meanwhile its last connection error is reported.
    app.lastConnectionError.clear();
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

/** Names all missing rights at once, so that nobody has to grant them one by one. */
const checkMissingRights = async ({ app: { rights } }: Startup): Promise<string | undefined> => {
  await rights.refresh();
  return rights.missing.length === 0 ? undefined : rights.missing.join("; ");
};

/** `unknown`: Kafka refuses to describe the topics' settings. The command grants that right. */
type RetentionCheck = RetentionVerdict | { readonly kind: "unknown"; readonly command: string };

const checkRetention = async ({ admin, config, rights }: App): Promise<RetentionCheck> => {
  const { retry: retryTopics, deadLetter } = config.topics;
  const topics = [...retryTopics.map(({ topic }) => topic), deadLetter];
  const configs = await admin.topicConfigs(topics);
  if (configs !== "refused")
    return classifyRetention(configs, { retryTopics, deadLetter, maxAgeMs: config.retry.maxAgeMs });
  const resources = topics.map((name) => ({ kind: "topic", name }) as const);
  return { kind: "unknown", command: grantCommand("DescribeConfigs", resources, rights.principal) };
};

/** Ends the process if the topics lose records by their settings: only a person can change those. */
const requireRetention = async ({ app, onFatal }: Startup): Promise<string | undefined> => {
  const check = await checkRetention(app);
  switch (check.kind) {
    case "unknown":
      app.log.info(
        `Kafka does not tell how long topics keep their records, so this is not checked. To allow it: ${check.command}`,
      );
      return undefined;
    case "unfit":
      onFatal(new Error(check.error));
      return check.error;
    case "fit":
      for (const warning of check.warnings) app.log.warn(warning);
      return undefined;
  }
};

const noProblem = async (work: Promise<void>): Promise<undefined> => {
  await work;
  return undefined;
};

const startupSteps = (startup: Startup): StartupStep[] => {
  const { admin, group, config, topicWatch } = startup.app;
  const ownTopics = [...config.topics.retry.map(({ topic }) => topic), config.topics.deadLetter];
  return [
    { label: "Cannot reach Kafka", run: () => noProblem(admin.connect()) },
    { label: "Waiting for rights", run: () => checkMissingRights(startup) },
    {
      label: "Waiting for topics",
      run: () => topicWatch.checkBeforeJoin(),
      requiredRights: ownTopics.map((topic) => topicRight("Create", topic)),
    },
    { label: "Cannot ask how long topics keep their records", run: () => requireRetention(startup) },
    {
      label: "Cannot join the group",
      run: async () => (await checkMissingRights(startup)) ?? noProblem(group.consumer.start()),
    },
  ];
};

/** Starts the work: connects to Kafka, checks rights and topics, and joins the consumer group. Ends early if the service stops. */
export const runStartup = async (startup: Startup): Promise<void> => {
  for (const step of startupSteps(startup)) await retryUntilDone(step, startup);
  if (!startup.isStopping()) startup.readiness.startupProblem = undefined;
};
