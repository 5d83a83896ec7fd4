import type { Fault as TargetFault } from "../../src/standin/fault.ts";
import { type RunFault, type DrillContext, secondsText } from "./context.ts";
import { cohortName, cohorts } from "./events.ts";

/** How long calls may still be in flight after a fault has started. */
export const inFlightMs = 2_000;

interface Outage {
  readonly say: string;
  readonly begin: (context: DrillContext) => () => void | Promise<void>;
  /** How long calls may still be in flight after the outage has started, in milliseconds. */
  readonly callsEndAfterMs?: (context: DrillContext) => number;
}

/** A fault of the whole target: the service may write nothing to a retry topic, and only probes may call. */
export const runOutage =
  ({ say, begin, callsEndAfterMs = () => inFlightMs }: Outage): RunFault =>
  async ({ lastsMs }, context) => {
    const { cluster, target, fleet, wait } = context;
    context.say(`${say} for ${secondsText(lastsMs)}`);
    const end = begin(context);
    const inFlightUntilMs = callsEndAfterMs(context);
    await wait(inFlightUntilMs);
    const [calls, writtenRecords] = [target.calls(), await cluster.writtenRecords()];
    await wait(lastsMs - inFlightUntilMs);
    const hold = {
      calls: target.calls() - calls,
      // Probes start one second apart, later they are rarer.
      allowedCalls: fleet.running.length * (4 + Math.ceil(lastsMs / 2_000)),
      writtenRecords: (await cluster.writtenRecords()) - writtenRecords,
    };
    await end();
    return { hold };
  };

export const outageRunner = (say: string, fault: TargetFault): RunFault =>
  runOutage({ say, begin: ({ target }) => target.startFault(fault) });

/** A fault of some calls, or of all calls for a short time: delivery continues. */
export const partialFaultRunner =
  (say: string, begin: (context: DrillContext) => () => void): RunFault =>
  async ({ lastsMs }, context) => {
    context.say(`${say} for ${secondsText(lastsMs)}`);
    const end = begin(context);
    await context.wait(lastsMs);
    end();
    return {};
  };

const keyOf = (pick: number): string => `00000000-0000-4000-8000-${String(Math.floor(pick * 1e12)).padStart(12, "0")}`;

export const rotateAccessKey: RunFault = (fault, context) =>
  runOutage({
    say: "Gainsight expects a new access key, which the key file does not have yet,",
    begin: ({ target, fleet }) => {
      target.setAccessKey(keyOf(fault.pick));
      return () => fleet.setAccessKey(keyOf(fault.pick));
    },
  })(fault, context);

export const failCohort = ({ target, failedCohorts }: DrillContext, pick: number): (() => void) => {
  const cohort = Math.floor(pick * cohorts);
  failedCohorts.add(cohort);
  return target.startUserFault({ kind: "status", status: 500, match: { accountId: cohortName(cohort) } });
};

export const refuseKafkaWrites: RunFault = async ({ lastsMs, pick }, context) => {
  context.say(
    `the brokers reject writes to the retry and dead-letter topics for ${secondsText(lastsMs)}, while some users fail`,
  );
  const end = failCohort(context, pick);
  await context.cluster.refuseWrites(true);
  await context.wait(lastsMs);
  await context.cluster.refuseWrites(false);
  end();
  return {};
};

export const mixInRunner = (say: string, kind: "refused" | "poison"): RunFault =>
  partialFaultRunner(say, ({ flow }) => {
    flow.mixIn(kind, 0.02);
    return () => flow.mixIn(kind, 0);
  });
