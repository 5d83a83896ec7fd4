import { chooseInstance, type RunFault, type DrillContext, secondsText } from "./context.ts";
import { partitions } from "./topics.ts";

const maxInstances = 5;
const minInstances = 3;
const holdEndLimitMs = 20_000;

export const killInstance: RunFault = async ({ lastsMs, pick }, context) => {
  const instance = chooseInstance(context, pick);
  context.say(`kill -9 i${instance.number}; a new instance starts after ${secondsText(lastsMs)}`);
  await instance.kill();
  await context.wait(lastsMs);
  await context.fleet.launch();
  return { crashedInstance: instance.number };
};

/** A graceful restart. The clock of the new process is wrong by `skew` milliseconds. */
export const restartInstance =
  (skew: (pick: number) => number): RunFault =>
  async ({ lastsMs, pick }, context) => {
    const instance = chooseInstance(context, pick);
    const skewMs = skew(pick);
    const clock = skewMs === 0 ? "" : `; its clock is wrong by ${skewMs / 60_000} min`;
    context.say(`SIGTERM to i${instance.number}; a new instance starts after ${secondsText(lastsMs)}${clock}`);
    await instance.stop();
    await context.wait(lastsMs);
    await context.fleet.launch({ skewMs });
    return {};
  };

export const addInstance: RunFault = async (fault, context) => {
  if (context.fleet.running.length >= maxInstances) return removeInstance(fault, context);
  const { number } = await context.fleet.launch();
  context.say(`i${number} joins`);
  return {};
};

export const removeInstance: RunFault = async (fault, context) => {
  if (context.fleet.running.length <= minInstances) return addInstance(fault, context);
  const instance = chooseInstance(context, fault.pick);
  context.say(`i${instance.number} leaves`);
  await instance.stop();
  return {};
};

export const killBroker: RunFault = async ({ lastsMs, pick }, { cluster, wait, say }) => {
  const partition = Math.floor(pick * partitions);
  const id = await cluster.leaderOf(partition);
  say(`kill -9 broker ${id}, the leader of partition ${partition}; it restarts after ${secondsText(lastsMs)}`);
  await cluster.servers.broker(id).kill();
  await wait(lastsMs);
  await cluster.servers.broker(id).start();
  return {};
};

const holdsForRegistry = async ({ fleet }: DrillContext): Promise<boolean> => {
  const statuses = await Promise.all(fleet.running.map(({ status }) => status()));
  return statuses.some((status) => status?.holds.includes("registry_down"));
};

/** Freezes an instance for longer than its session, so that the group excludes it, and then lets it continue. */
export const freezeInstance: RunFault = async ({ lastsMs, pick }, context) => {
  const instance = chooseInstance(context, pick);
  context.say(`i${instance.number} is frozen for ${secondsText(lastsMs)}`);
  instance.freeze(true);
  await context.wait(lastsMs);
  instance.freeze(false);
  return { crashedInstance: instance.number };
};

/** Stops the registry while an instance starts and while events use a schema that no instance knows. */
export const stopRegistry: RunFault = async ({ lastsMs, pick }, context) => {
  const { cluster, flow, fleet, wait, say } = context;
  say(`the registry is down for ${secondsText(lastsMs)}, and events use a new schema`);
  await cluster.servers.registry.stop();
  flow.useNextSchema();
  if (fleet.running.length >= maxInstances) await chooseInstance(context, pick).stop();
  const { number } = await fleet.launch();
  say(`i${number} starts without the registry`);
  await wait(lastsMs);
  const isSeen = await holdsForRegistry(context);
  await cluster.servers.registry.start();
  const overAt = Date.now();
  let isOver = false;
  while (!isOver && Date.now() - overAt < holdEndLimitMs) {
    await wait(100);
    isOver = !(await holdsForRegistry(context));
  }
  return { overAt, registry: { isSeen, isOver } };
};
