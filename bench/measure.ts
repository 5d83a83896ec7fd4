import { cpuMicros, peakMegabytes } from "./process.ts";
import type { Sink } from "./sink.ts";
import { pause } from "./until.ts";

export interface Measurement {
  readonly eventsPerSecond: number;
  readonly cpuMicrosPerEvent: number;
  readonly peakMegabytes: number;
  /** Undefined if the sink does not count, as are the inversions. */
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
  /** Counting begins after this many events (default 1), so that the start-up time does not count. */
  readonly from?: number;
  readonly events: number;
  readonly sink: Sink;
  /** The number of delivered events, counted by the sink or, if it does not count, by the program. */
  readonly done: () => Promise<number>;
  readonly limitMs: number;
}

type Sampler = () => Promise<Sample>;

const untilDone = async (sample: Sampler, target: number, { events, limitMs }: MeasureOptions): Promise<Sample> => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const current = await sample();
    if (process.stderr.isTTY) process.stderr.write(`\r${current.done} of ${events} `);
    if (current.done >= target) return current;
    if (performance.now() > deadline)
      throw new Error(`Got ${current.done} of ${events} events within ${limitMs / 1_000} s`);
    await pause(sampleEveryMs);
  }
};

/** Measures a program until all events are delivered. Rejects after `limitMs`. */
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
