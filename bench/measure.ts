import { cpuMicros, peakMegabytes } from "./process.ts";
import type { Sink } from "./sink.ts";

export interface Measured {
  readonly eventsPerSecond: number;
  readonly cpuMicrosPerEvent: number;
  readonly peakMegabytes: number;
  /** Undefined where the sink does not count for us. */
  readonly duplicates: number | undefined;
  readonly inversions: number | undefined;
}

const everyMs = 25;

const tick = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, everyMs);
  });

interface Sample {
  readonly at: number;
  readonly done: number;
  readonly cpu: number;
}

export interface MeasureOptions {
  readonly pid: number;
  readonly events: number;
  readonly sink: Sink;
  /** How many events are done, by the sink or, for a foreign one, by the program itself. */
  readonly done: () => Promise<number>;
  readonly limitMs: number;
  readonly onProgress: (done: number) => void;
}

type Sampler = () => Promise<Sample>;

const untilDone = async (
  sample: Sampler,
  enough: number,
  { events, limitMs, onProgress }: MeasureOptions,
): Promise<Sample> => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const now = await sample();
    onProgress(now.done);
    if (now.done >= enough) return now;
    if (performance.now() > deadline) throw new Error(`Only ${now.done} of ${events} events came within ${limitMs} ms`);
    await tick();
  }
};

/** Watches a program until all events are done; counts from the first delivery seen, so that the start does not count. */
export const measure = async (options: MeasureOptions): Promise<Measured> => {
  const { pid, events, sink, done } = options;
  const sample = async (): Promise<Sample> => ({ done: await done(), at: performance.now(), cpu: cpuMicros(pid) });
  const first = await untilDone(sample, 1, options);
  const last = await untilDone(sample, events, options);
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
