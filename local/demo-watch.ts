import { formatCount } from "./demo-verdict.ts";

/** What the service and the stand-in say of themselves right now. */
export interface Progress {
  /** Different events that the target has taken. */
  readonly delivered: number;
  readonly breaker: string;
  readonly holds: readonly string[];
  /** Records in the retry tiers that are still to come. */
  readonly waiting: number;
  readonly parkedUsers: number;
  /** Records of the source topic that are still to come. */
  readonly lag: number;
}

export const NO_PROGRESS: Progress = { delivered: 0, breaker: "closed", holds: [], waiting: 0, parkedUsers: 0, lag: 0 };

interface StatusBody {
  readonly breaker: string;
  readonly holds: readonly string[];
  readonly parkedUsers: number;
  readonly lag: readonly { readonly topic: string; readonly lag: number }[];
}

/** Asks the service's status and the stand-in's stats. Rejects where one of them does not answer. */
export async function fetchProgress(from: { service: string; standin: string; source: string }): Promise<Progress> {
  const [status, stats] = await Promise.all([
    fetchJson<StatusBody>(`${from.service}/api/status`),
    fetchJson<{ distinct: number }>(`${from.standin}/standin/stats`),
  ]);
  const behind = (isSource: boolean): number =>
    status.lag.filter(({ topic }) => (topic === from.source) === isSource).reduce((sum, { lag }) => sum + lag, 0);
  return {
    delivered: stats.distinct,
    breaker: status.breaker,
    holds: status.holds,
    waiting: behind(false),
    parkedUsers: status.parkedUsers,
    lag: behind(true),
  };
}

/** Any of our own addresses that answer with JSON. */
export async function fetchJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}, want 200`);
  return (await answer.json()) as T;
}

/** A turn of the story: when it comes, and what is said. */
interface Turn {
  readonly isNow: (before: Progress, now: Progress) => boolean;
  readonly say: (now: Progress) => string;
}

const begins =
  (reason: string): Turn["isNow"] =>
  (before, now) =>
    now.holds.includes(reason) && !before.holds.includes(reason);
const ends =
  (reason: string): Turn["isNow"] =>
  (before, now) =>
    begins(reason)(now, before);

const TURNS: readonly Turn[] = [
  { isNow: begins("target_down"), say: () => "The breaker is open: no calls but a probe now and then" },
  {
    isNow: ends("target_down"),
    say: ({ lag }) => `The breaker is closed again: the ${formatCount(lag)} records that had to wait go on now`,
  },
  { isNow: begins("throttled"), say: () => "Throttled: every call waits" },
  { isNow: ends("throttled"), say: () => "The wait is over: calls go again, few at a time at first" },
  {
    isNow: (before, now) => before.parkedUsers === 0 && now.parkedUsers > 0,
    say: ({ parkedUsers }) =>
      `Waiting in the retry tiers now: the events of ${parkedUsers === 1 ? "1 user" : `${parkedUsers} users`}, in order`,
  },
  {
    isNow: (before, now) => before.parkedUsers > 0 && now.parkedUsers === 0,
    say: () => "Nobody waits in the retry tiers any more",
  },
];

/** One line for each turn of the story between two moments. */
export function describeChanges(before: Progress, now: Progress): readonly string[] {
  return TURNS.filter(({ isNow }) => isNow(before, now)).map(({ say }) => say(now));
}
