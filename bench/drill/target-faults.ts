import type { Fault as TargetFault } from "../../src/standin/fault.ts";
import { cohortName, cohorts } from "./events.ts";
import { type RunFault, type DrillContext, secondsText } from "./scene.ts";

/** How long calls may still be on their way when a trouble begins. */
export const inFlightSettleMs = 2_000;

interface Outage {
  readonly say: string;
  readonly begin: (scene: DrillContext) => () => void | Promise<void>;
  /** How long calls may still be on their way when it begins. */
  readonly settledAfterMs?: (scene: DrillContext) => number;
}

/** Trouble of the whole target: nothing may be written to a tier, and only probes may come. */
export const runOutage =
  ({ say, begin, settledAfterMs = () => inFlightSettleMs }: Outage): RunFault =>
  async ({ lastsMs }, scene) => {
    const { stage, target, fleet, wait } = scene;
    scene.say(`${say} for ${secondsText(lastsMs)}`);
    const end = begin(scene);
    const settling = settledAfterMs(scene);
    await wait(settling);
    const [calls, written] = [target.calls(), await stage.written()];
    await wait(lastsMs - settling);
    const held = {
      calls: target.calls() - calls,
      // Probes begin a second apart, then fewer.
      allowedCalls: fleet.running.length * (4 + Math.ceil(lastsMs / 2_000)),
      movedRecords: (await stage.written()) - written,
    };
    await end();
    return { held };
  };

export const outageRunner = (say: string, fault: TargetFault): RunFault =>
  runOutage({ say, begin: ({ target }) => target.startFault(fault) });

/** Trouble that a part of the calls has, or all for a short time: the stream goes on. */
export const partialFaultRunner =
  (say: string, begin: (scene: DrillContext) => () => void): RunFault =>
  async ({ lastsMs }, scene) => {
    scene.say(`${say} for ${secondsText(lastsMs)}`);
    const end = begin(scene);
    await scene.wait(lastsMs);
    end();
    return {};
  };

const keyOf = (pick: number): string => `00000000-0000-4000-8000-${String(Math.floor(pick * 1e12)).padStart(12, "0")}`;

export const rotateAccessKey: RunFault = (fault, scene) =>
  runOutage({
    say: "the key is another one, and the file has it only later,",
    begin: ({ target, fleet }) => {
      target.setAccessKey(keyOf(fault.pick));
      return () => fleet.setAccessKey(keyOf(fault.pick));
    },
  })(fault, scene);

export const failCohort = ({ target, unlucky }: DrillContext, pick: number): (() => void) => {
  const cohort = Math.floor(pick * cohorts);
  unlucky.add(cohort);
  return target.startUserFault({ kind: "status", status: 500, match: { accountId: cohortName(cohort) } });
};

export const refuseKafkaWrites: RunFault = async ({ lastsMs, pick }, scene) => {
  scene.say(`tiers and dead letters refuse every write for ${secondsText(lastsMs)}, while some users fail`);
  const end = failCohort(scene, pick);
  await scene.stage.refuseWrites(true);
  await scene.wait(lastsMs);
  await scene.stage.refuseWrites(false);
  end();
  return {};
};

export const mixInRunner = (say: string, kind: "refused" | "poison"): RunFault =>
  partialFaultRunner(say, ({ flow }) => {
    flow.mixIn(kind, 0.02);
    return () => flow.mixIn(kind, 0);
  });
