import { type Server, type Socket, connect, createServer } from "node:net";

import { describe } from "vitest";

import { startKafka } from "../../local/kafka.ts";
import { freePorts } from "../../local/ports.ts";
import { readConfig } from "../../src/config/env/read-config.ts";
import { createLog } from "../../src/ops/log.ts";
import { createApp } from "../../src/service/compose.ts";
import { startService } from "../../src/service/lifecycle.ts";
import { createTopics, journeyKafka } from "./cluster.ts";
import { type Story, deliveredIds, journey, patient, tracks } from "./story.ts";

const silenceLimitMs = 4_000;
/** Kafka's API key of a Fetch request. Fetches have their own connection. */
const fetchKey = 1;

/** A TCP proxy that forwards everything until it is told to drop the data of some connections. */
const startProxy = async (story: Story, ports: { readonly from: number; readonly to: number }) => {
  const swallowed = { fetches: false };
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const broker = connect(ports.to, "127.0.0.1");
    let isFetching = false;
    client.on("data", (request) => {
      isFetching ||= request.length >= 6 && request.readInt16BE(4) === fetchKey;
      if (!(swallowed.fetches && isFetching)) broker.write(request);
    });
    broker.on("data", (answer) => {
      if (!(swallowed.fetches && isFetching)) client.write(answer);
    });
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => void server.listen(ports.from, "127.0.0.1", resolve));
  story.onEnd(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return swallowed;
};

/** A broker for this story that clients reach only through a proxy, and a service in this process. */
const startBehindProxy = async (story: Story) => {
  const [from = 0, to = 0] = await freePorts(2);
  const swallowed = await startProxy(story, { from, to });
  const own = await startKafka({
    count: 1,
    log: () => {},
    more: {
      addresses: [[`PROXIED://127.0.0.1:${to}`]],
      advertised: [[`PROXIED://127.0.0.1:${from}`]],
      settings: { "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT" },
    },
  });
  story.onEnd(() => own.stop());
  const kafka = journeyKafka(own.brokers);
  await createTopics(kafka, [{ topic: story.source, numPartitions: 1 }]);
  const producer = kafka.producer();
  await producer.connect();
  story.onEnd(() => producer.disconnect());
  const fatal: Error[] = [];
  const onFatal = (error: Error): void => void fatal.push(error);
  const config = readConfig({ ...(await story.env()), KAFKA_BROKERS: `127.0.0.1:${from}` });
  const service = await startService(
    createApp({ config, log: createLog({ level: "silent" }), onFatal, watchdogLimitMs: silenceLimitMs }),
    onFatal,
  );
  story.onEnd(service.stop);
  const probe = async (path: string) => {
    const answer = await fetch(`${service.url}${path}`);
    return { status: answer.status, body: await answer.text() };
  };
  return {
    swallowed,
    probe,
    fatal,
    send: (messages = tracks("u1", 1, 1)) => producer.send({ topic: story.source, messages }),
  };
};

describe("a consumer whose fetch connection is silent", () => {
  /*
   * The network drops everything on the consumer's fetch connection; all other connections work. Nothing fails and
   * there is no hold, but no new event would ever arrive. /readyz reports that, and /livez asks for a restart.
   */
  journey("fails its probes while all other connections work", async ({ story, expect }) => {
    const { swallowed, probe, send, fatal } = await startBehindProxy(story);
    await expect.poll(() => probe("/readyz"), patient).toMatchObject({ status: 200 });
    await send();
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
    swallowed.fetches = true;
    await send(tracks("u1", 2, 1));
    await expect.poll(() => probe("/livez"), patient).toMatchObject({ status: 503 });
    expect((await probe("/livez")).body).toContain("no fetch from broker 1");
    expect((await probe("/readyz")).body).toContain("Kafka answers other connections but not the consumer's");
    expect(deliveredIds(story)).toEqual(["u1-1"]);
    expect(fatal).toEqual([]);
  });
});
