import { Pool } from "undici";

import { freePorts } from "../local/ports.ts";
import type { RecordedCall } from "../src/standin/call-log.ts";
import type { Fault } from "../src/standin/fault.ts";
import type { Stats } from "../src/standin/stats.ts";
import { cpuMicros, startProgram } from "./process.ts";
import { waitUntil } from "./until.ts";

export const accessKey = "00000000-0000-4000-8000-000000000000";

/** Where the events go: our stand-in as a separate process, or another server at a given address. */
export interface Sink {
  readonly url: string;
  /** Undefined for another server: it does not count. */
  readonly stats: () => Promise<Stats | undefined>;
  /** Clears all counts, and sets exactly these faults. */
  readonly reset: (...faults: Fault[]) => Promise<void>;
  /** CPU time so far in microseconds; undefined for another server. */
  readonly cpu: () => number | undefined;
  readonly stop: () => Promise<void>;
}

export interface OwnSink extends Sink {
  readonly stats: () => Promise<Stats>;
  readonly addFault: (fault: Fault) => Promise<void>;
  /** The newest thousand calls. */
  readonly calls: () => Promise<readonly RecordedCall[]>;
}

export const foreignSink = (url: string): Sink => ({
  url,
  stats: async () => undefined,
  reset: async () => {},
  cpu: () => undefined,
  stop: async () => {},
});

const post = async (url: string, body?: unknown): Promise<void> => {
  const response = await fetch(url, { method: "POST", ...(body !== undefined && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`The stand-in answers ${response.status}: ${await response.text()}`);
};

/** Starts the stand-in of the built program `main`. */
export const openSink = async (main: string): Promise<OwnSink> => {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const program = startProgram([main, "standin", "--port", String(port), "--access-key", accessKey], {});
  const isUp = (): Promise<boolean> =>
    fetch(`${url}/standin/stats`).then(
      () => true,
      () => false,
    );
  await waitUntil(isUp, { what: "the stand-in", limitMs: 10_000 });
  const addFault = (fault: Fault): Promise<void> => post(`${url}/standin/faults`, fault);
  return {
    url,
    stats: async () => (await (await fetch(`${url}/standin/stats`)).json()) as Stats,
    calls: async () => (await (await fetch(`${url}/standin/requests?last=1000`)).json()) as RecordedCall[],
    reset: async (...faults) => {
      await fetch(`${url}/standin/faults`, { method: "DELETE" });
      await post(`${url}/standin/reset`);
      for (const fault of faults) await addFault(fault);
    },
    addFault,
    cpu: () => cpuMicros(program.pid),
    stop: program.stop,
  };
};

export interface SinkSpeed {
  readonly callsPerSecond: number;
  /** NaN for another server. */
  readonly cpuMicrosPerCall: number;
}

/** Measures how many calls per second the sink takes from a client that does nothing else. The sink must not limit a benchmark. */
export const measureSink = async (
  sink: Sink,
  { calls, connections }: { calls: number; connections: number },
): Promise<SinkSpeed> => {
  const pool = new Pool(sink.url, { connections, pipelining: 1 });
  const headers = { accessKey, "Content-Type": "application/json" };
  const filler = "x".repeat(700);
  let started = 0;
  const startedAt = performance.now();
  const cpuBefore = sink.cpu() ?? Number.NaN;
  const sendCalls = async (): Promise<void> => {
    while (started < calls) {
      const number = started++;
      const body = JSON.stringify({
        type: "track",
        event: "Bench",
        userId: `u${number}`,
        messageId: `alone-${number}`,
        timestamp: new Date().toISOString(),
        properties: { filler },
      });
      const response = await pool.request({ path: "/clickstream/segmentio/event", method: "POST", headers, body });
      await response.body.dump();
    }
  };
  await Promise.all(Array.from({ length: connections }, sendCalls));
  await pool.close();
  const cpu = (sink.cpu() ?? Number.NaN) - cpuBefore;
  return {
    callsPerSecond: (calls / (performance.now() - startedAt)) * 1_000,
    cpuMicrosPerCall: cpu / calls,
  };
};
