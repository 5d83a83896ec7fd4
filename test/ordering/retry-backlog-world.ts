import { RetryBacklog, type ScannedRecord, type RetryPosition } from "../../src/ordering/retry-backlog.ts";

interface Event {
  readonly user: string;
  readonly id: string;
  readonly offset: number;
}

export type Verdict = "deliver" | "fail" | "dead";

const delays = [30, 300, 1_800];

/**
 * One partition number with its source and retry topics: what the broker holds and what the service would do with it, in its
 * plainest form. Nothing is due before its delay has passed, and each queue is read from its head.
 */
export const createBacklogWorld = (users: readonly string[]) => {
  const source: Event[] = users.map((user, offset) => ({ user, id: `e${offset}`, offset }));
  const tiers: ScannedRecord[][] = delays.map(() => []);
  /** Read, but not yet committed: what a crash brings back. */
  const heads = { source: 0, tiers: delays.map(() => 0) };
  let committed = structuredClone(heads);
  let backlog = new RetryBacklog([]);
  let now = 0;
  const ended: Event[] = [];

  const write = ({ user, id, offset }: Event, tier: number, isRepeated: boolean) => {
    const queue = tiers[tier] ?? [];
    // A write whose acknowledgement was lost is there twice; only the second is heard of.
    for (let copies = isRepeated ? 2 : 1; copies > 0; copies--)
      queue.push({
        user,
        eventKey: id,
        position: { tier, offset: queue.length },
        topic: "events",
        offset,
        timestamp: 0,
        writtenAt: now,
      });
    backlog.upsert(user, id, { tier, offset: queue.length - 1 });
  };
  const work = (
    event: Event,
    options: { position: RetryPosition | undefined; verdict: Verdict; isRepeated: boolean },
  ) => {
    const { position, verdict, isRepeated } = options;
    const turn = backlog.checkAndAdopt(event.user, event.id, position);
    if (turn.kind === "superseded") return;
    if (turn.kind === "forward") return write(event, turn.tier, isRepeated);
    if (verdict === "fail") return write(event, position ? Math.min(position.tier + 1, 2) : 0, isRepeated);
    ended.push(event);
    backlog.complete(event.user, event.id);
  };
  const dueAt = (tier: number) => {
    const head = tiers[tier]?.[heads.tiers[tier] ?? 0];
    return head ? head.writtenAt + (delays[tier] ?? 0) : Number.POSITIVE_INFINITY;
  };
  const steps = {
    source: (verdict: Verdict, isRepeated: boolean) => {
      const event = source[heads.source];
      if (!event) return;
      heads.source++;
      work(event, { position: undefined, verdict, isRepeated });
    },
    tier: (tier: number, verdict: Verdict, isRepeated: boolean) => {
      const copy = tiers[tier]?.[heads.tiers[tier] ?? 0];
      if (!copy || dueAt(tier) > now) return;
      heads.tiers[tier] = (heads.tiers[tier] ?? 0) + 1;
      const { position, user, eventKey: id, offset } = copy;
      work({ user, id, offset }, { position, verdict, isRepeated });
    },
    wait: () => {
      const next = Math.min(...delays.map((_, tier) => dueAt(tier)));
      now = Math.max(now + 1, Number.isFinite(next) ? next : now);
    },
    commit: () => {
      committed = structuredClone(heads);
    },
    /** Another owner begins with what is committed. */
    restart: () => {
      Object.assign(heads, structuredClone(committed));
      backlog = new RetryBacklog(tiers.flatMap((queue, tier) => queue.slice(heads.tiers[tier])));
    },
  };
  const drain = () => {
    while (heads.source < source.length || delays.some((_, tier) => Number.isFinite(dueAt(tier)))) {
      steps.source("deliver", false);
      for (const tier of delays.keys()) steps.tier(tier, "deliver", false);
      steps.wait();
    }
    return { source, ended, parked: backlog.userCount };
  };
  return { steps, drain };
};
