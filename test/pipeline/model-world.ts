import { retryHeaders } from "../../src/core/outcome/failure-headers.ts";
import { eventKeyOf, sourcePositionOf, readRetryState } from "../../src/core/outcome/headers.ts";
import { type Hold, type Retry, type Verdict, dead, delivered } from "../../src/core/outcome/outcome.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import type { DeadLetterLimitRules } from "../../src/limits/dead-letter-limit.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";
import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";
import type { ScannedRecord } from "../../src/ordering/scanned-records.ts";
import type { OpenPartition } from "../../src/pipeline/work-item.ts";
import { type PendingWrite, type Rig, parsedOf, createOwner, createRig, turns } from "./rig.ts";

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
  readonly parsedRecords: ParsedRecord[];
  committed: { offset: number; metadata: string };
}

const placeOf = (tier: number) => ({ topic: `tier-${tier}`, partition: 0 });

/** A real pipeline, the broker's logs around it, and every choice made by hand. */
export const createModelWorld = (names: readonly string[]) => {
  const logOf = (parsedRecords: ParsedRecord[]): Log => ({ parsedRecords, committed: { offset: 0, metadata: "" } });
  const isOther = (name: string): boolean => name.endsWith("b");
  const pastIn = (topic: string, offset: number) => ({
    retryState: {
      source: sourcePositionOf({ topic, partition: 0, offset: String(offset), timestamp: 0 }),
      attempts: 0,
      firstFailedAt: undefined,
    },
  });
  const sourceLog = logOf(names.filter((name) => !isOther(name)).map((name, offset) => parsedOf(name, offset)));
  const otherLog = logOf(names.filter(isOther).map((name, offset) => parsedOf(name, offset, pastIn("other", offset))));
  const tierLogs = [0, 1, 2].map(() => logOf([]));
  /** By turns everything waits at the limit, or the events of one cause. */
  let raised = names.length;
  const nextLimit = (): DeadLetterLimitRules => {
    raised++;
    const common = { percent: 100, minEvents: 1_000 };
    const consecutive = 1 + (raised % 3);
    return raised % 2 === 0
      ? { scope: "all", consecutive: 1 + consecutive, ...common }
      : { scope: "cause", consecutive, ...common };
  };
  const rig: Rig = createRig({ limit: nextLimit() });
  let owner = createOwner(rig);
  let other: OpenPartition = { ...owner.source, topic: "other", tracker: new OffsetTracker({ startOffset: 0 }) };
  const allOwned = (): [OpenPartition, Log][] => [
    [owner.source, sourceLog],
    [other, otherLog],
    ...owner.retryTopics.flatMap((owned, tier): [OpenPartition, Log][] => {
      const log = tierLogs[tier];
      return log ? [[owned, log]] : [];
    }),
  ];

  /** What the pipeline writes is in the broker's log at once; the acknowledgement may come late, or never. */
  const landed = new WeakSet<object>();
  let refuse = 0;
  /** Refuses a run of records as too large, if nothing else is being written to the same retry topic. */
  const isRefused = ({ records }: PendingWrite, tier: number, log: Log): boolean => {
    const isLast = rig.written[tier] === log.parsedRecords.length + records.length;
    if (refuse === 0 || records.length === 1 || !isLast) return false;
    refuse--;
    rig.written[tier] = log.parsedRecords.length;
    return true;
  };
  const append = ({ records }: PendingWrite, tier: number, log: Log): void => {
    for (const { parsed, failure } of records) {
      const offset = String(log.parsedRecords.length);
      const here = { ...placeOf(tier), id: "", offset, timestamp: rig.clock.wallNow() };
      const headers = retryHeaders(parsed.record.headers, failure);
      const record = { ...parsed.record, headers, timestamp: rig.clock.wallNow() };
      log.parsedRecords.push({ ...parsed, record, retryState: readRetryState(headers, here) });
    }
  };
  const land = (): void => {
    for (const write of rig.writes.slice()) {
      const { tier } = write;
      const log = tier === undefined ? undefined : tierLogs[tier];
      if (!log || tier === undefined || landed.has(write)) continue;
      landed.add(write);
      if (isRefused(write, tier, log)) write.answer("too_large");
      else append(write, tier, log);
    }
  };
  const settleDown = async (): Promise<void> => {
    await turns();
    land();
    await turns();
    land();
    rig.clock.time += 1_000;
  };
  const enqueue = ([owned, log]: [OpenPartition, Log]): void => {
    const offset = owned.tracker.position;
    const parsed = log.parsedRecords[offset];
    if (parsed) owner.enqueue(owned, parsed, offset);
  };
  const commit = (): void => {
    for (const [{ tracker }, log] of allOwned()) {
      const pending = tracker.nextCommit();
      if (!pending) continue;
      log.committed = pending;
      tracker.confirm(pending);
    }
  };
  const begin = (): void => {
    rig.scheduler.dropAssignment();
    const trackers = new Map<Log, OffsetTracker>(
      [...tierLogs, sourceLog, otherLog].map((log) => {
        const { offset, metadata } = log.committed;
        return [log, new OffsetTracker({ startOffset: offset, metadata })];
      }),
    );
    const found = tierLogs.flatMap((log, tier) =>
      log.parsedRecords.flatMap(({ user, retryState, record }, offset): ScannedRecord[] => {
        const isLeft = offset >= log.committed.offset && !trackers.get(log)?.wasCompleted(offset);
        const { topic, offset: at, timestamp } = retryState.source;
        const id = eventKeyOf(retryState.source);
        const place = { tier, offset };
        return isLeft
          ? [{ user, eventKey: id, position: place, topic, offset: Number(at), timestamp, writtenAt: record.timestamp }]
          : [];
      }),
    );
    const otherTracker = trackers.get(otherLog);
    owner = createOwner(rig, {
      backlog: new RetryBacklog(found),
      trackerOf: (tier) => trackers.get(tier === undefined ? sourceLog : (tierLogs[tier] ?? sourceLog)),
    });
    if (otherTracker) other = { ...owner.source, topic: "other", tracker: otherTracker };
  };
  const answer = (number: number, name: Answer): void => {
    const call = rig.calls[number % Math.max(1, rig.calls.length)];
    if (!call) return;
    if (verdicts[name].kind === "hold") rig.gate.state = "closed";
    else if (name === "deliver") rig.gate.state = "open";
    call.answer(verdicts[name]);
  };
  const acknowledge = (number: number): void => {
    land();
    rig.writes[number % Math.max(1, rig.writes.length)]?.answer("written");
  };
  const reopen = (state: "open" | "probe"): void => {
    // As the real gate: one probe at a time.
    if (rig.gate.state === "closed" && (state === "open" || rig.calls.length === 0)) rig.gate.state = state;
    rig.scheduler.startReady();
  };
  const fire = (): void => {
    for (const { callback } of rig.timers.splice(0)) callback();
  };
  /** Spills the oldest event of the source or of a retry topic. */
  const spill = (number: number): void => {
    const owned = allOwned()[number % 5];
    if (owned) rig.scheduler.spillHotKeys([owned[0]]);
  };
  /** A copy of a record in a retry topic, as a repeated write or an operator makes it. */
  const copy = (number: number): void => {
    land();
    const log = tierLogs[number % 3];
    const original = log?.parsedRecords[number % Math.max(1, log.parsedRecords.length)];
    const tier = (number + 1) % 3;
    if (!original) return;
    tierLogs[tier]?.parsedRecords.push(original);
    rig.written[tier] = (rig.written[tier] ?? 0) + 1;
  };
  const goOn = (): void => {
    rig.deadLetterLimit.setLimit(nextLimit(), rig.clock.wallNow());
    rig.scheduler.startReady();
  };
  /** One of everything that may happen now, with good answers only. */
  const helpOn = async (): Promise<void> => {
    goOn();
    rig.gate.state = "open";
    rig.scheduler.startReady();
    fire();
    for (const call of rig.calls.slice()) call.answer(delivered);
    while (rig.writes.length > 0) acknowledge(0);
    await settleDown();
  };
  /** Every call in flight fails until its event is moved on. */
  const failRound = async (): Promise<void> => {
    for (const pause of [fire, () => undefined]) {
      for (const call of rig.calls.slice()) call.answer(failed);
      await settleDown();
      pause();
    }
    while (rig.writes.length > 0) acknowledge(0);
  };
  const handOver = async (): Promise<void> => {
    const idle = rig.scheduler.drain();
    while (rig.scheduler.headsInWork > 0) await helpOn();
    await idle;
    commit();
    begin();
  };
  const isDone = (): boolean =>
    allOwned().every(([{ tracker }, log]) => tracker.committableOffset === log.parsedRecords.length);
  const drain = async (): Promise<void> => {
    refuse = 0;
    for (let rounds = 0; !isDone(); rounds++) {
      if (rounds === 1_000) throw new Error("The events never come to an end");
      for (const owned of allOwned()) enqueue(owned);
      await helpOn();
    }
    commit();
  };
  const readFrom = (number: number): void => {
    const owned = allOwned()[number % 5];
    if (owned) enqueue(owned);
  };
  /** Every call in flight fails until its event is moved on; no write is acknowledged. */
  const failCalls = async (): Promise<void> => {
    for (const pause of [fire, () => undefined]) {
      for (const call of rig.calls.slice()) call.answer(failed);
      await settleDown();
      pause();
    }
  };
  const readAll = (number: number): void => {
    land();
    for (const owned of allOwned().slice(number % 5, (number % 5) + 1))
      for (let more = 0; more < 10; more++) enqueue(owned);
  };
  const newest = (): void => {
    land();
    rig.writes.at(-1)?.answer("written");
  };
  const tooLarge = (number: number): void => {
    refuse = 1 + (number % 2);
  };
  const parked = (): number => owner.backlog.userCount;
  const acts = {
    tooLarge,
    parked,
    failCalls,
    readAll,
    newest,
    readFrom,
    answer,
    acknowledge,
    reopen,
    fire,
    failRound,
    spill,
    copy,
    goOn,
    commit,
    handOver,
    begin,
  };
  return { rig, ...acts, settleDown, drain };
};
