import { cpuMicros, peakMegabytes } from "./process.ts";
import type { Sink } from "./sink.ts";
import { pause } from "./until.ts";

export interface Measurement {
  readonly eventsPerSecond: number;
  readonly cpuMicrosPerEvent: number;
  readonly peakMegabytes: number;
  /** Undefined where the sink does not count for us. */
  readonly duplicates: number | undefined;
  readonly inversions: number | undefined;
}

const sampleEveryMs = 50;

interface Sample {
  readonly at: number;
  readonly done: number;
  readonly cpu: number;
}

export interface MeasureOptions {
  readonly pid: number;
  /** Where counting begins: after so many, 1 by default, so that the start does not count. */
  readonly from?: number;
  readonly events: number;
  readonly sink: Sink;
  /** How many events are done, by the sink or, for a foreign one, by the program itself. */
  readonly done: () => Promise<number>;
  readonly limitMs: number;
}

type Sampler = () => Promise<Sample>;

const untilDone = async (sample: Sampler, target: number, { events, limitMs }: MeasureOptions): Promise<Sample> => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const now = await sample();
    if (process.stderr.isTTY) process.stderr.write(`\r${now.done} of ${events} `);
    if (now.done >= target) return now;
    if (performance.now() > deadline) throw new Error(`Only ${now.done} of ${events} events came within ${limitMs} ms`);
    await pause(sampleEveryMs);
  }
};

/** Watches a program until all events are done. */
export const measure = async (options: MeasureOptions): Promise<Measurement> => {
  const { pid, from = 1, events, sink, done } = options;
  const sample = async (): Promise<Sample> => ({ done: await done(), at: performance.now(), cpu: cpuMicros(pid) });
  const first = await untilDone(sample, from, options);
  const last = await untilDone(sample, events, options);
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const stats = await sink.stats();
  const counted = last.done - first.done;
  return {
    eventsPerSecond: (counted / (last.at - first.at)) * 1_000,
    cpuMicrosPerEvent: (last.cpu - first.cpu) / counted,
    peakMegabytes: peakMegabytes(pid),
    duplicates: stats?.duplicates,
    inversions: stats?.inversions,
  };
};
