import { count } from "./demo-verdict.ts";

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
export async function askProgress(from: { service: string; standin: string; source: string }): Promise<Progress> {
  const [status, stats] = await Promise.all([
    askJson<StatusBody>(`${from.service}/api/status`),
    askJson<{ distinct: number }>(`${from.standin}/standin/stats`),
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
export async function askJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}, want 200`);
  return (await answer.json()) as T;
}

/** One line for each turn of the story between two moments. */
export function narrate(before: Progress, now: Progress): readonly string[] {
  const began = (reason: string): boolean => now.holds.includes(reason) && !before.holds.includes(reason);
  const ended = (reason: string): boolean => before.holds.includes(reason) && !now.holds.includes(reason);
  return [
    began("target_down") && "The breaker is open: no calls but a probe now and then",
    ended("target_down") && `The breaker is closed again; ${count(now.lag)} events had to wait`,
    began("throttled") && "Throttled: every call waits",
    ended("throttled") && "The wait is over: calls go again, few at first",
    before.parkedUsers === 0 && now.parkedUsers > 0 && `${parked(now)} now waits in the retry tiers, in order`,
    before.parkedUsers > 0 && now.parkedUsers === 0 && "Nobody waits in the retry tiers any more",
  ].filter((line) => line !== false);
}

const parked = ({ parkedUsers }: Progress): string => (parkedUsers === 1 ? "1 user" : `${parkedUsers} users`);
