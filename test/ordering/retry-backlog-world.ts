import { Chains, type Found, type Place } from "../../src/ordering/retry-backlog.ts";

interface Event {
  readonly user: string;
  readonly id: string;
  readonly offset: number;
}

export type Verdict = "deliver" | "fail" | "dead";

const delays = [30, 300, 1_800];

/**
 * One partition number with its source and tiers: what the broker holds and what the service would do with it, in its
 * plainest form. Nothing is due before its delay has passed, and each queue is read from its head.
 */
export const createChainsWorld = (users: readonly string[]) => {
  const source: Event[] = users.map((user, offset) => ({ user, id: `e${offset}`, offset }));
  const tiers: Found[][] = delays.map(() => []);
  /** Read, but not yet committed: what a crash brings back. */
  const heads = { source: 0, tiers: delays.map(() => 0) };
  let committed = structuredClone(heads);
  let chains = new Chains([]);
  let now = 0;
  const ended: Event[] = [];

  const write = (event: Event, tier: number, isRepeated: boolean) => {
    const queue = tiers[tier] ?? [];
    // A write whose acknowledgement was lost is there twice; only the second is heard of.
    for (let copies = isRepeated ? 2 : 1; copies > 0; copies--)
      queue.push({ ...event, place: { tier, offset: queue.length }, topic: "events", timestamp: 0, writtenAt: now });
    chains.moved(event.user, event.id, { tier, offset: queue.length - 1 });
  };
  const work = (event: Event, options: { place: Place | undefined; verdict: Verdict; isRepeated: boolean }) => {
    const { place, verdict, isRepeated } = options;
    const turn = chains.turnOf(event.user, event.id, place);
    if (turn.kind === "superseded") return;
    if (turn.kind === "forward") return write(event, turn.tier, isRepeated);
    if (verdict === "fail") return write(event, place ? Math.min(place.tier + 1, 2) : 0, isRepeated);
    ended.push(event);
    chains.finished(event.user, event.id);
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
      work(event, { place: undefined, verdict, isRepeated });
    },
    tier: (tier: number, verdict: Verdict, isRepeated: boolean) => {
      const copy = tiers[tier]?.[heads.tiers[tier] ?? 0];
      if (!copy || dueAt(tier) > now) return;
      heads.tiers[tier] = (heads.tiers[tier] ?? 0) + 1;
      const { place, user, id, offset } = copy;
      work({ user, id, offset }, { place, verdict, isRepeated });
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
      chains = new Chains(tiers.flatMap((queue, tier) => queue.slice(heads.tiers[tier])));
    },
  };
  const drain = () => {
    while (heads.source < source.length || delays.some((_, tier) => Number.isFinite(dueAt(tier)))) {
      steps.source("deliver", false);
      for (const tier of delays.keys()) steps.tier(tier, "deliver", false);
      steps.wait();
    }
    return { source, ended, parked: chains.users };
  };
  return { steps, drain };
};
