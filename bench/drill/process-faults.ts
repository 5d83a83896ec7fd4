import { chooseInstance, type Play, type Scene, secondsText } from "./scene.ts";
import { partitions } from "./topics.ts";

const mostInstances = 5;
const fewestInstances = 3;
const registryPatienceMs = 20_000;

export const kill: Play = async ({ lastsMs, pick }, scene) => {
  const victim = chooseInstance(scene, pick);
  scene.say(`kill -9 i${victim.number}, another one after ${secondsText(lastsMs)}`);
  await victim.kill();
  await scene.wait(lastsMs);
  await scene.fleet.launch();
  return { crashed: victim.number };
};

/** A graceful restart; `skew` says by how much the new process's clock is wrong. */
export const restart =
  (skew: (pick: number) => number): Play =>
  async ({ lastsMs, pick }, scene) => {
    const leaver = chooseInstance(scene, pick);
    const wrong = skew(pick);
    const clock = wrong === 0 ? "" : `, with a clock that is wrong by ${wrong / 60_000} min`;
    scene.say(`SIGTERM to i${leaver.number}, another one ${secondsText(lastsMs)} later${clock}`);
    await leaver.leave();
    await scene.wait(lastsMs);
    await scene.fleet.launch({ skewMs: wrong });
    return {};
  };

export const join: Play = async (_fault, scene) => {
  if (scene.fleet.running.length >= mostInstances) return leave(_fault, scene);
  const { number } = await scene.fleet.launch();
  scene.say(`i${number} joins`);
  return {};
};

export const leave: Play = async (fault, scene) => {
  if (scene.fleet.running.length <= fewestInstances) return join(fault, scene);
  const leaver = chooseInstance(scene, fault.pick);
  scene.say(`i${leaver.number} leaves`);
  await leaver.leave();
  return {};
};

export const broker: Play = async ({ lastsMs, pick }, { stage, wait, say }) => {
  const partition = Math.floor(pick * partitions);
  const id = await stage.leaderOf(partition);
  say(`kill -9 broker ${id}, the leader of partition ${partition}, back after ${secondsText(lastsMs)}`);
  await stage.cluster.broker(id).kill();
  await wait(lastsMs);
  await stage.cluster.broker(id).start();
  return {};
};

const isHeldByRegistry = async ({ fleet }: Scene): Promise<boolean> => {
  const pages = await Promise.all(fleet.running.map(({ status }) => status()));
  return pages.some((page) => page?.holds.includes("registry_down"));
};

/** A cut-off member: it stands still for longer than its session, and then goes on as if nothing were. */
export const freeze: Play = async ({ lastsMs, pick }, scene) => {
  const victim = chooseInstance(scene, pick);
  scene.say(`i${victim.number} is frozen for ${secondsText(lastsMs)}`);
  victim.freeze(true);
  await scene.wait(lastsMs);
  victim.freeze(false);
  return { crashed: victim.number };
};

/** The registry is away while an instance starts, and while events come in a schema that nobody knows yet. */
export const registry: Play = async ({ lastsMs, pick }, scene) => {
  const { stage, flow, fleet, wait, say } = scene;
  say(`registry down for ${secondsText(lastsMs)}, and a new schema is in use`);
  await stage.cluster.registry.stop();
  flow.nextSchema();
  if (fleet.running.length >= mostInstances) await chooseInstance(scene, pick).leave();
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
