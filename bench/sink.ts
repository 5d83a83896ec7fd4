import { Pool } from "undici";

import { freePorts } from "../local/ports.ts";
import { start } from "./process.ts";

export const accessKey = "00000000-0000-4000-8000-000000000000";

export interface Stats {
  readonly delivered: number;
  readonly duplicates: number;
  readonly inversions: number;
}

/** Where the events go: our stand-in in a process of its own, or any other server that is given by its address. */
export interface Sink {
  readonly url: string;
  /** Undefined for a foreign sink, which counts nothing for us. */
  readonly stats: () => Promise<Stats | undefined>;
  readonly reset: (latencyMs: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const post = (url: string, body?: unknown): Promise<Response> =>
  fetch(url, { method: "POST", ...(body !== undefined && { body: JSON.stringify(body) }) });

const waitUntilUp = async (url: string): Promise<void> => {
  for (let attempt = 0; attempt < 100; attempt++) {
    const isUp = await fetch(`${url}/standin/stats`).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error(`The stand-in does not answer at ${url}`);
};

const foreignSink = (url: string): Sink => ({
  url,
  stats: async () => undefined,
  reset: async () => {},
  stop: async () => {},
});

export const openSink = async (url: string | undefined): Promise<Sink> => {
  if (url !== undefined) return foreignSink(url);
  const [port = 0] = await freePorts(1);
  const own = `http://127.0.0.1:${port}`;
  const program = start(["src/main.ts", "standin", "--port", String(port), "--access-key", accessKey], {});
  await waitUntilUp(own);
  return {
    url: own,
    stats: async () => (await (await fetch(`${own}/standin/stats`)).json()) as Stats,
    reset: async (latencyMs) => {
      await fetch(`${own}/standin/faults`, { method: "DELETE" });
      await post(`${own}/standin/reset`);
      if (latencyMs > 0) await post(`${own}/standin/faults`, { kind: "latency", ms: latencyMs });
    },
    stop: program.stop,
  };
};

/** How many calls a second the sink takes from a client that does nothing else: it must never be the limit. */
export const measureSink = async (
  sink: Sink,
  { calls, connections }: { calls: number; connections: number },
): Promise<number> => {
  const pool = new Pool(sink.url, { connections, pipelining: 1 });
  const headers = { accessKey, "Content-Type": "application/json" };
  const filler = "x".repeat(700);
  let started = 0;
  const startedAt = performance.now();
  const one = async (): Promise<void> => {
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
      const answer = await pool.request({ path: "/clickstream/segmentio/event", method: "POST", headers, body });
      await answer.body.dump();
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  await pool.close();
  return (calls / (performance.now() - startedAt)) * 1_000;
};
