import { describe, expect, it } from "vitest";

import { type CallResult, classify } from "../../src/core/outcome/classify.ts";
import type { Verdict } from "../../src/core/outcome/outcome.ts";
import { createGainsight } from "../../src/delivery/gainsight.ts";
import { type HttpClient, createHttpClient } from "../../src/delivery/http-client.ts";
import { createClickstreamRequest } from "../../src/delivery/routes/clickstream.ts";
import { readUserAgent } from "../../src/outbound/user-agent.ts";
import type { Standin } from "../../src/standin/standin.ts";
import { type Mood, type Proxy, withProxy } from "../outbound/with-proxy.ts";
import { accessKey, sampleEvent, withStandin } from "../standin/with-standin.ts";
import { createTestClock } from "./test-clock.ts";

const callOf = (messageId: string) =>
  ({ kind: "call", type: "track", body: Buffer.from(JSON.stringify({ ...sampleEvent, messageId })) }) as const;

const toRequest = createClickstreamRequest({ pathPrefix: "", userAgent: "gainstream/test" });

const send = (client: HttpClient, messageId = "m1"): Promise<CallResult> =>
  new Promise((resolve) => {
    client.send(toRequest(callOf(messageId), accessKey), resolve);
  });

/** A released connection is reused from the next turn on. */
const rested = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

interface World {
  readonly proxy: Proxy;
  readonly standin: Standin;
  readonly client: HttpClient;
}

const basic = (credentials: string) => ({ read: () => `Basic ${Buffer.from(credentials).toString("base64")}` });

/** A client, a proxy and a stand-in behind it. */
const withAll = (
  story: (world: World) => Promise<void>,
  { timeoutMs = 5_000, credentials }: { timeoutMs?: number; credentials?: string } = {},
): Promise<void> =>
  withProxy((proxy) =>
    withStandin(async (standin) => {
      const authorization = credentials === undefined ? undefined : basic(credentials);
      const way = { origin: proxy.url, authorization };
      const client = createHttpClient({ origin: standin.url, proxy: way, timeoutMs });
      try {
        await story({ proxy, standin, client });
      } finally {
        await client.close();
        // A way that is still being opened is given up as well.
        await expect.poll(proxy.open, { timeout: 10_000 }).toBe(0);
      }
    }),
  );

const authorityOf = ({ url }: Standin): string => new URL(url).host;

describe("http client behind a proxy", () => {
  it("opens one tunnel by CONNECT, also to http:, and reuses it", () =>
    withAll(async ({ proxy, standin, client }) => {
      for (const id of ["m1", "m2", "m3"]) {
        expect(await send(client, id)).toEqual({ kind: "response", status: 200 });
        await rested();
      }
      expect(proxy.asked).toEqual([authorityOf(standin)]);
      expect(proxy.forwards).toEqual([]);
      expect([...standin.ledger().messageIds]).toEqual(["m1", "m2", "m3"]);
    }));

  it("opens one tunnel for each parallel call, and no more", () =>
    withAll(async ({ proxy, client }) => {
      for (let round = 0; round < 10; round++) {
        await Promise.all(Array.from({ length: 8 }, (_, index) => send(client, `m${round}-${index}`)));
        await rested();
      }
      expect(proxy.asked).toHaveLength(8);
      expect(proxy.open()).toBe(8);
    }));

  it("sends its credentials if the proxy asks for them", () =>
    withAll(
      async ({ proxy, client }) => {
        proxy.credentials = "paul:p@ss:word";
        expect(await send(client)).toEqual({ kind: "response", status: 200 });
      },
      { credentials: "paul:p@ss:word" },
    ));

  it("sends our user agent, and asks for a lasting tunnel: some proxies end it after the first response otherwise", () =>
    withAll(async ({ proxy, standin, client }) => {
      await send(client);
      const lasting = { connection: "keep-alive", "proxy-connection": "keep-alive" };
      expect(proxy.headers).toEqual([{ host: authorityOf(standin), "user-agent": readUserAgent(), ...lasting }]);
    }));

  it.each<[Mood, string | undefined, (host: string, target: string) => string]>([
    [407, undefined, (host) => `The proxy ${host} requires credentials (407)`],
    [407, "paul:wrong", (host) => `The proxy ${host} refuses the credentials (407)`],
    [403, undefined, (host, target) => `The proxy ${host} refuses to connect to ${target} (403)`],
    [502, undefined, (host, target) => `The proxy ${host} cannot reach ${target} (502)`],
    [301, undefined, (host, target) => `The proxy ${host} refuses to connect to ${target} (301)`],
    ["cut", undefined, (host, target) => `Cannot reach ${target} through the proxy ${host} (UND_ERR_SOCKET)`],
    ["babble", undefined, (host, target) => `Cannot reach ${target} through the proxy ${host} (HTTPParserError)`],
    ["hang", undefined, (host, target) => `Cannot reach ${target} through the proxy ${host} (no answer within 400 ms)`],
  ])("reports a proxy that does %j (credentials: %s) as a network error with its name", (mood, credentials, text) =>
    withAll(
      async ({ proxy, standin, client }) => {
        proxy.mood = mood;
        const answer = await send(client);
        const problem = text(proxy.host, authorityOf(standin));
        expect(answer).toEqual({ kind: "network", code: "PROXY", sent: false, problem });
        expect(classify(answer)).toEqual({ kind: "retry", reason: "network", error: problem });
        expect(standin.stats().total).toBe(0);
        // The same connection of ours works as soon as the proxy does.
        proxy.mood = "open";
        expect(await send(client, "m2")).toEqual({ kind: "response", status: 200 });
      },
      { timeoutMs: 500, ...(credentials !== undefined && { credentials }) },
    ),
  );

  it("names a proxy that cannot be reached", async () => {
    let gone = "";
    await withProxy(async ({ url }) => void (gone = url));
    const client = createHttpClient({ origin: "http://127.0.0.1:9", proxy: { origin: gone }, timeoutMs: 5_000 });
    const problem = `Cannot reach 127.0.0.1:9 through the proxy ${new URL(gone).host} (ECONNREFUSED)`;
    expect(await send(client)).toMatchObject({ kind: "network", sent: false, problem });
    await client.close();
  });

  it("does not know whether an event arrived if its connection breaks, as without a proxy", () =>
    withAll(async ({ standin, client }) => {
      standin.faults.add({ kind: "outage", mode: "reset" });
      expect(await send(client)).toMatchObject({ kind: "network", sent: true });
    }));

  it("ends calls on abort while the proxy hangs, and never sends them", () =>
    withAll(
      async ({ proxy, standin, client }) => {
        proxy.mood = "hang";
        const calls = ["m1", "m2"].map((id) => send(client, id));
        await expect.poll(() => proxy.asked.length).toBe(2);
        client.abortAll();
        expect(await Promise.all(calls)).toEqual([{ kind: "aborted" }, { kind: "aborted" }]);
        proxy.mood = "open";
        expect(await send(client, "m3")).toMatchObject({ status: 200 });
        expect([...standin.ledger().messageIds]).toEqual(["m3"]);
      },
      { timeoutMs: 1_000 },
    ));
});

describe("http client behind a proxy, after 1,000 calls of all kinds", () => {
  const connections = 16;
  const moods: readonly Mood[] = ["open", 407, "cut", "open", 502, "hang"];

  it(
    "keeps no tunnel too many, and none after `close`",
    () =>
      withAll(
        async ({ proxy, standin, client }) => {
          standin.faults.add({ kind: "outage", mode: "hang", ratio: 0.02 });
          standin.faults.add({ kind: "outage", mode: "reset", ratio: 0.1 });
          standin.faults.add({ kind: "oversize-body", bytes: 200_000, ratio: 0.1 });
          standin.faults.add({ kind: "status", status: 503, ratio: 0.3 });
          const kinds = new Set<string>();
          const work = async (first: number): Promise<void> => {
            for (let call = first; call < 1_000; call += connections) {
              proxy.mood = moods[Math.floor(call / 100) % moods.length] ?? "open";
              kinds.add((await send(client, `m${call}`)).kind);
            }
          };
          await Promise.all(Array.from({ length: connections }, (_, first) => work(first)));
          expect([...kinds].toSorted()).toEqual(["network", "response", "timeout"]);
          await standin.faults.clear();
          proxy.mood = "open";
          await expect.poll(proxy.open, { timeout: 10_000 }).toBeLessThanOrEqual(connections);
        },
        { timeoutMs: 100 },
      ),
    60_000,
  );
});

describe("gainsight behind a proxy", () => {
  /* The failures that open the breaker are those of an unreachable target; from then on a hold names the proxy, and no attempt is used. */
  it("holds every event while the proxy refuses, and continues when it does not", () =>
    withProxy((proxy) =>
      withStandin(async (standin) => {
        const clock = createTestClock();
        const holds: unknown[] = [];
        const gainsight = createGainsight({
          concurrency: 8,
          timeoutMs: 2_000,
          monotonicNow: clock.now,
          schedule: clock.schedule,
          random: () => 0,
          breaker: { errorPercent: 50, minCalls: 3, windowMs: 10_000, probeMinMs: 40, probeMaxMs: 40 },
          url: standin.url,
          proxy: { origin: proxy.url },
          userAgent: "gainstream/test",
          accessKey: { read: () => accessKey },
          watchFile: () => () => {},
          onMaySend: () => {},
          onHold: ({ reason, isHeld, error }) => void holds.push({ reason, isHeld, error }),
          onCall: () => {},
          failOnResultFalse: () => false,
          onResultFalse: () => {},
        });
        const attempt = (messageId: string): Promise<Verdict> =>
          new Promise((resolve) => {
            gainsight.delivery.attempt(callOf(messageId), { isFirst: true, refusalHistory: "never" }, resolve);
          });
        const error = `The proxy ${proxy.host} requires credentials (407)`;
        try {
          proxy.credentials = "paul:secret";
          for (const kind of ["retry", "retry", "hold"]) expect(await attempt("m1")).toMatchObject({ kind, error });
          expect(holds).toEqual([{ reason: "target_down", isHeld: true, error }]);
          proxy.credentials = "";
          await expect.poll(() => gainsight.delivery.state).toBe("probe");
          expect(await attempt("m1")).toEqual({ kind: "delivered" });
          expect(holds.at(-1)).toMatchObject({ reason: "target_down", isHeld: false });
          expect(standin.ledger()).toMatchObject({ distinct: 1, duplicates: 0 });
        } finally {
          await gainsight.close();
        }
      }),
    ));
});
