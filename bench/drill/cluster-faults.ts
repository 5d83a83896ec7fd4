import { type RunFault, type DrillContext, secondsText } from "./context.ts";
import { failCohort } from "./target-faults.ts";
import { names } from "./topics.ts";

const growthLimitMs = 90_000;
const drainLimitMs = 60_000;

/** Adds a partition to the source, with its own users, and waits until one of their events arrives. */
export const addSourcePartition: RunFault = async (_fault, { cluster, flow, wait, say }) => {
  const partition = await cluster.addPartition();
  const startedAt = Date.now();
  say(`${names.source} has a new partition, ${partition}`);
  flow.useNewPartition(partition);
  while (!flow.hasArrivedFrom(partition) && Date.now() - startedAt < growthLimitMs) await wait(200);
  const readAfterMs = flow.hasArrivedFrom(partition) ? Date.now() - startedAt : undefined;
  return { addedPartition: { readAfterMs } };
};

const untilSecondIsCommitted = async ({ cluster, wait }: DrillContext): Promise<void> => {
  const startedAt = Date.now();
  while ((await cluster.uncommittedIn(names.second)) > 0) {
    if (Date.now() - startedAt > drainLimitMs)
      throw new Error(`${names.second} is not fully committed ${drainLimitMs / 1_000} s after its last event`);
    await wait(200);
  }
};

/** Deletes the second source when all of it is committed, and creates it again: its offsets start at 0. */
export const recreateSecondSource: RunFault = async ({ lastsMs }, context) => {
  const { cluster, flow, say } = context;
  await flow.stopSecond();
  await untilSecondIsCommitted(context);
  say(`${names.second} is deleted, and created again after ${secondsText(lastsMs)}`);
  await cluster.recreateSecond(lastsMs);
  flow.startSecond();
  return {};
};

export const revokeRight: RunFault = async ({ lastsMs, pick }, context) => {
  const { description, restore } = await context.cluster.denyRight(pick);
  context.say(`the service loses the right ${description} for ${secondsText(lastsMs)}, while some users fail`);
  const end = failCohort(context, pick);
  await context.wait(lastsMs);
  await restore();
  end();
  return {};
};
