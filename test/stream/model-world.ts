import type { Arrival } from "../../src/core/arrival.ts";
import { readPast, retryHeaders } from "../../src/core/headers.ts";
import { type Hold, type Retry, type Verdict, dead, delivered } from "../../src/core/outcome.ts";
import { Chains, type Found } from "../../src/flow/chains.ts";
import { Tracker } from "../../src/flow/tracker.ts";
import type { Inlet } from "../../src/stream/assignment.ts";
import { type Rig, arrivalOf, createOwner, createRig, turns } from "./rig.ts";

export type Answer = "deliver" | "fail" | "dead" | "throttled" | "misconfigured";

const failed: Retry = { kind: "retry", reason: "server_error", error: "Gainsight failed", status: 503 };
const held = (reason: Hold["reason"]): Hold => ({ kind: "hold", reason, error: "Held" });
const verdicts: Readonly<Record<Answer, Verdict>> = {
  deliver: delivered,
  fail: failed,
  dead: dead("rejected", "No", 400),
  throttled: held("throttled"),
  misconfigured: held("misconfigured"),
};

/** What the broker keeps of one partition number, whoever owns it. */
interface Log {
  readonly arrivals: Arrival[];
  committed: { offset: number; metadata: string };
}

const placeOf = (tier: number) => ({ topic: `tier-${tier}`, partition: 0 });

/** A real stream, the broker's logs around it, and every choice made by hand. */
export const createModelWorld = (names: readonly string[]) => {
  const logOf = (arrivals: Arrival[]): Log => ({ arrivals, committed: { offset: 0, metadata: "" } });
  const sourceLog = logOf(names.map((name, offset) => arrivalOf(name, offset)));
  const tierLogs = [0, 1, 2].map(() => logOf([]));
  const rig: Rig = createRig();
  let owner = createOwner(rig);
  const inlets = (): [Inlet, Log][] => [
    [owner.source, sourceLog],
    ...owner.tiers.flatMap((inlet, tier): [Inlet, Log][] => {
      const log = tierLogs[tier];
      return log ? [[inlet, log]] : [];
    }),
  ];

  /** What the stream writes is in the broker's log at once; the acknowledgement may come late, or never. */
  const landed = new WeakSet<object>();
  const land = (): void => {
    for (const write of rig.writes) {
      if (landed.has(write) || write.tier === undefined) continue;
      landed.add(write);
      const log = tierLogs[write.tier];
      const offset = String(log?.arrivals.length ?? 0);
      const here = { ...placeOf(write.tier), id: "", offset, timestamp: rig.clock.now() };
      const headers = retryHeaders(write.arrival.record.headers, write.failure);
      const record = { ...write.arrival.record, headers, timestamp: rig.clock.now() };
      log?.arrivals.push({ ...write.arrival, record, past: readPast(headers, here) });
    }
  };
  const settleDown = async (): Promise<void> => {
    await turns();
    land();
    rig.clock.time += 1_000;
  };
  const take = ([inlet, log]: [Inlet, Log]): void => {
    const offset = inlet.tracker.position;
    const arrival = log.arrivals[offset];
    if (arrival) owner.take(inlet, arrival, offset);
  };
  const commit = (): void => {
    for (const [{ tracker }, log] of inlets()) {
      const pending = tracker.pending();
      if (!pending) continue;
      log.committed = pending;
      tracker.committed(pending);
    }
  };
  const begin = (): void => {
    rig.stream.drop();
    const trackers = new Map([...tierLogs, sourceLog].map((log) => {
      const { offset, metadata } = log.committed;
      return [log, new Tracker({ start: offset, metadata })];
    }));
    const found = tierLogs.flatMap((log, tier) =>
      log.arrivals.flatMap(({ user, past, record }, offset): Found[] => {
        const isLeft = offset >= log.committed.offset && !trackers.get(log)?.wasFinished(offset);
        const { id, topic, offset: at, timestamp } = past.origin;
        const place = { tier, offset };
        return isLeft ? [{ user, id, place, topic, offset: Number(at), timestamp, writtenAt: record.timestamp }] : [];
      }),
    );
    owner = createOwner(rig, { chains: new Chains(found), trackerOf: (tier) => trackers.get(tier === undefined ? sourceLog : (tierLogs[tier] ?? sourceLog)) });
  };
  const answer = (number: number, with_: Answer): void => {
    const call = rig.calls[number % Math.max(1, rig.calls.length)];
    if (!call) return;
    if (verdicts[with_].kind === "hold") rig.gate.state = "closed";
    else if (with_ === "deliver") rig.gate.state = "open";
    call.answer(verdicts[with_]);
  };
  const acknowledge = (number: number): void => rig.writes[number % Math.max(1, rig.writes.length)]?.answer("written");
  const reopen = (state: "open" | "probe"): void => {
    if (rig.gate.state === "closed") rig.gate.state = state;
    rig.stream.pump();
  };
  const fire = (): void => {
    for (const { callback } of rig.timers.splice(0)) callback();
  };
  return { rig, inlets, take, commit, begin, answer, acknowledge, reopen, fire, settleDown };
};
