import { type RunFault, type DrillContext, secondsText } from "./scene.ts";
import { failCohort } from "./target-faults.ts";
import { names } from "./topics.ts";

const growthPatienceMs = 90_000;
const drainPatienceMs = 60_000;

/** One more partition of the source, with users of its own; waits until one of their events has arrived. */
export const addSourcePartition: RunFault = async (_fault, { stage, flow, wait, say }) => {
  const partition = await stage.addPartition();
  const startedAt = Date.now();
  say(`${names.source} has a new partition, ${partition}`);
  flow.useNewPartition(partition);
  while (!flow.hasArrivedFrom(partition) && Date.now() - startedAt < growthPatienceMs) await wait(200);
  const readAfterMs = flow.hasArrivedFrom(partition) ? Date.now() - startedAt : undefined;
  return { grown: { readAfterMs } };
};

const untilSecondIsCommitted = async ({ stage, wait }: DrillContext): Promise<void> => {
  const startedAt = Date.now();
  while ((await stage.backlogOf(names.second)) > 0) {
    if (Date.now() - startedAt > drainPatienceMs)
      throw new Error(`${names.second} is not committed after ${drainPatienceMs / 1_000} s without a new event`);
    await wait(200);
  }
};

/** The second source is deleted when all of it is committed, and made anew: its offsets begin at 0 again. */
export const recreateSecondSource: RunFault = async ({ lastsMs }, scene) => {
  const { stage, flow, say } = scene;
  await flow.stopSecond();
  await untilSecondIsCommitted(scene);
  say(`${names.second} is deleted, and made anew ${secondsText(lastsMs)} later`);
  await stage.remakeSecond(lastsMs);
  flow.startSecond();
  return {};
};

export const revokeRight: RunFault = async ({ lastsMs, pick }, scene) => {
  const { words, giveBack } = await scene.stage.takeRight(pick);
  scene.say(`the right ${words} is taken away for ${secondsText(lastsMs)}, while some users fail`);
  const end = failCohort(scene, pick);
  await scene.wait(lastsMs);
  await giveBack();
  end();
  return {};
};
