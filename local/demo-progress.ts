import { formatCount } from "./demo-verdict.ts";

/** The current state of the service and the stand-in. */
export interface Progress {
  /** Distinct events that the target has accepted. */
  readonly delivered: number;
  readonly breaker: string;
  readonly holds: readonly string[];
  /** Uncommitted records of the retry topics. */
  readonly waiting: number;
  readonly parkedUsers: number;
  /** Uncommitted records of the source topic. */
  readonly lag: number;
}

export const NO_PROGRESS: Progress = { delivered: 0, breaker: "closed", holds: [], waiting: 0, parkedUsers: 0, lag: 0 };

interface StatusBody {
  readonly breaker: string;
  readonly holds: readonly string[];
  readonly parkedUsers: number;
  readonly lag: readonly { readonly topic: string; readonly lag: number }[];
}

/** Reads /api/status of the service and the counts of the stand-in. Rejects if one of them does not answer. */
export async function fetchProgress(from: { service: string; standin: string; source: string }): Promise<Progress> {
  const [status, stats] = await Promise.all([
    fetchJson<StatusBody>(`${from.service}/api/status`),
    fetchJson<{ distinct: number }>(`${from.standin}/standin/stats`),
  ]);
  const lagOf = (isSource: boolean): number =>
    status.lag.filter(({ topic }) => (topic === from.source) === isSource).reduce((sum, { lag }) => sum + lag, 0);
  return {
    delivered: stats.distinct,
    breaker: status.breaker,
    holds: status.holds,
    waiting: lagOf(false),
    parkedUsers: status.parkedUsers,
    lag: lagOf(true),
  };
}

/** Gets JSON from the service or the stand-in. Rejects unless the status is 2xx. */
export async function fetchJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}, want 200`);
  return (await response.json()) as T;
}

/** A change between two states, and the line that the demo prints for it. */
interface Change {
  readonly hasHappened: (before: Progress, now: Progress) => boolean;
  readonly message: (now: Progress) => string;
}

const holdBegins =
  (reason: string): Change["hasHappened"] =>
  (before, now) =>
    now.holds.includes(reason) && !before.holds.includes(reason);
const holdEnds =
  (reason: string): Change["hasHappened"] =>
  (before, now) =>
    holdBegins(reason)(now, before);

const CHANGES: readonly Change[] = [
  {
    hasHappened: holdBegins("target_down"),
    message: () => "The circuit breaker is open: only single probe calls go out",
  },
  {
    hasHappened: holdEnds("target_down"),
    message: ({ lag }) => `The circuit breaker is closed: delivery continues with ${formatCount(lag)} waiting records`,
  },
  { hasHappened: holdBegins("throttled"), message: () => "Throttled: no calls go out until Retry-After has passed" },
  {
    hasHappened: holdEnds("throttled"),
    message: () => "The wait is over: calls continue, only a few at a time at first",
  },
  {
    hasHappened: (before, now) => before.parkedUsers === 0 && now.parkedUsers > 0,
    message: ({ parkedUsers }) =>
      `Events of ${parkedUsers === 1 ? "1 user" : `${parkedUsers} users`} wait in the retry topics, in order`,
  },
  {
    hasHappened: (before, now) => before.parkedUsers > 0 && now.parkedUsers === 0,
    message: () => "No user waits in the retry topics any more",
  },
];

/** One line for each change between two states. */
export function describeChanges(before: Progress, now: Progress): readonly string[] {
  return CHANGES.filter(({ hasHappened }) => hasHappened(before, now)).map(({ message }) => message(now));
}
