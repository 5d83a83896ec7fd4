import { type BacklogCheck, RetryBacklog } from "../../src/ordering/retry-backlog.ts";
import type { RetryPosition, ScannedRecord } from "../../src/ordering/scanned-records.ts";

interface Event {
  readonly user: string;
  readonly id: string;
  readonly offset: number;
}

export type Verdict = "deliver" | "fail" | "dead";

const delays = [30, 300, 1_800];

/** What the pipeline does when the turn of a record comes. `position` is undefined for a record of the source. */
export const takeTurn = (
  backlog: RetryBacklog,
  user: string,
  eventKey: string,
  position: RetryPosition | undefined,
): BacklogCheck => {
  const check = backlog.check(user, eventKey, position);
  if (position && check.kind !== "superseded") backlog.adopt(user, eventKey, position);
  return check;
};

/**
 * One partition number with its source and retry topics: what the broker holds, and the plainest form of
 * what the service does with it. A record is due when its delay has passed, and each retry topic is read from its head.
 */
export const createBacklogWorld = (users: readonly string[]) => {
  const source: Event[] = users.map((user, offset) => ({ user, id: `e${offset}`, offset }));
  const tiers: ScannedRecord[][] = delays.map(() => []);
  /** The next offset to read, of each topic. */
  const heads = { source: 0, tiers: delays.map(() => 0) };
  let committed = structuredClone(heads);
  let backlog = new RetryBacklog([]);
  let now = 0;
  const ended: Event[] = [];

  const write = ({ user, id, offset }: Event, tier: number, isRepeated: boolean) => {
    const queue = tiers[tier] ?? [];
    // If the acknowledgement of a write is lost, the record is written twice; only the second is acknowledged.
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
    const check = takeTurn(backlog, event.user, event.id, position);
    if (check.kind === "superseded") return;
    if (check.kind === "forward") return write(event, check.tier, isRepeated);
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
    /** Another owner starts at the committed offsets. */
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
