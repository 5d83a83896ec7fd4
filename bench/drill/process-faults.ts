import { chooseInstance, type RunFault, type DrillContext, secondsText } from "./scene.ts";
import { partitions } from "./topics.ts";

const mostInstances = 5;
const fewestInstances = 3;
const registryPatienceMs = 20_000;

export const killInstance: RunFault = async ({ lastsMs, pick }, scene) => {
  const instance = chooseInstance(scene, pick);
  scene.say(`kill -9 i${instance.number}, another one after ${secondsText(lastsMs)}`);
  await instance.kill();
  await scene.wait(lastsMs);
  await scene.fleet.launch();
  return { crashed: instance.number };
};

/** A graceful restart; `skew` says by how much the new process's clock is wrong. */
export const restartInstance =
  (skew: (pick: number) => number): RunFault =>
  async ({ lastsMs, pick }, scene) => {
    const instance = chooseInstance(scene, pick);
    const skewMs = skew(pick);
    const clock = skewMs === 0 ? "" : `, with a clock that is wrong by ${skewMs / 60_000} min`;
    scene.say(`SIGTERM to i${instance.number}, another one ${secondsText(lastsMs)} later${clock}`);
    await instance.stop();
    await scene.wait(lastsMs);
    await scene.fleet.launch({ skewMs });
    return {};
  };

export const addInstance: RunFault = async (_fault, scene) => {
  if (scene.fleet.running.length >= mostInstances) return removeInstance(_fault, scene);
  const { number } = await scene.fleet.launch();
  scene.say(`i${number} joins`);
  return {};
};

export const removeInstance: RunFault = async (fault, scene) => {
  if (scene.fleet.running.length <= fewestInstances) return addInstance(fault, scene);
  const instance = chooseInstance(scene, fault.pick);
  scene.say(`i${instance.number} leaves`);
  await instance.stop();
  return {};
};

export const killBroker: RunFault = async ({ lastsMs, pick }, { stage, wait, say }) => {
  const partition = Math.floor(pick * partitions);
  const id = await stage.leaderOf(partition);
  say(`kill -9 broker ${id}, the leader of partition ${partition}, back after ${secondsText(lastsMs)}`);
  await stage.cluster.broker(id).kill();
  await wait(lastsMs);
  await stage.cluster.broker(id).start();
  return {};
};

const isHeldByRegistry = async ({ fleet }: DrillContext): Promise<boolean> => {
  const pages = await Promise.all(fleet.running.map(({ status }) => status()));
  return pages.some((page) => page?.holds.includes("registry_down"));
};

/** A cut-off member: it stands still for longer than its session, and then goes on as if nothing were. */
export const freezeInstance: RunFault = async ({ lastsMs, pick }, scene) => {
  const instance = chooseInstance(scene, pick);
  scene.say(`i${instance.number} is frozen for ${secondsText(lastsMs)}`);
  instance.freeze(true);
  await scene.wait(lastsMs);
  instance.freeze(false);
  return { crashed: instance.number };
};

/** The registry is away while an instance starts, and while events come in a schema that nobody knows yet. */
export const stopRegistry: RunFault = async ({ lastsMs, pick }, scene) => {
  const { stage, flow, fleet, wait, say } = scene;
  say(`registry down for ${secondsText(lastsMs)}, and a new schema is in use`);
  await stage.cluster.registry.stop();
  flow.nextSchema();
  if (fleet.running.length >= mostInstances) await chooseInstance(scene, pick).stop();
  const { number } = await fleet.launch();
  say(`i${number} starts meanwhile`);
  await wait(lastsMs);
  const isSeen = await isHeldByRegistry(scene);
  await stage.cluster.registry.start();
  const overAt = Date.now();
  let isOver = false;
  while (!isOver && Date.now() - overAt < registryPatienceMs) {
    await wait(100);
    isOver = !(await isHeldByRegistry(scene));
  }
  return { overAt, registry: { isSeen, isOver } };
};
