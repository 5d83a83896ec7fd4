import { equalJitter } from "../core/outcome/backoff.ts";

export interface ProbePauseOptions {
  readonly failedProbes: number;
  /** How long the breaker has been open. */
  readonly downMs: number;
  readonly probeMinMs: number;
  readonly probeMaxMs: number;
  /** From 0 up to, but not including, 1. */
  readonly random: number;
}

/** After an outage of a few minutes, events flow again within ten seconds of the target's recovery. */
const maxShortOutagePauseMs = 9_000;
/** A longer outage is prolonged by at most this share of its length. */
const maxShareOfOutage = 1 / 16;

/**
 * The pause before the next probe of a target that is down, in milliseconds. It doubles up to nine seconds, then grows
 * only with the length of the outage. At most a quarter is jitter, so that two minutes hold at most 20 probes.
 */
export const nextProbePauseMs = ({ failedProbes, downMs, probeMinMs, probeMaxMs, random }: ProbePauseOptions): number =>
  equalJitter({
    attempt: failedProbes,
    baseMs: probeMinMs,
    maxMs: Math.min(probeMaxMs, Math.max(probeMinMs, maxShortOutagePauseMs, downMs * maxShareOfOutage)),
    random: (1 + random) / 2,
  });
