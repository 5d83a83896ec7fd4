import { equalJitter } from "../core/outcome/backoff.ts";

export interface ProbePauseOptions {
  readonly failedProbes: number;
  /** How long the target has been down. */
  readonly downMs: number;
  readonly probeMinMs: number;
  readonly probeMaxMs: number;
  /** From 0 up to, but not including, 1. */
  readonly random: number;
}

/** After an outage of minutes the stream moves again within ten seconds of the target's return, its first calls included. */
const promptMs = 9_000;
/** A pause may prolong a longer outage by no more than this part of it. */
const shareOfOutage = 1 / 16;

/**
 * The pause before the next probe of a target that is down, in milliseconds. It doubles up to nine seconds, and beyond
 * only with the length of the outage. At most a quarter of it is jitter, so that 20 probes at most fall into two minutes.
 */
export const probePause = ({ failedProbes, downMs, probeMinMs, probeMaxMs, random }: ProbePauseOptions): number =>
  equalJitter({
    attempt: failedProbes,
    baseMs: probeMinMs,
    maxMs: Math.min(probeMaxMs, Math.max(probeMinMs, promptMs, downMs * shareOfOutage)),
    random: (1 + random) / 2,
  });
