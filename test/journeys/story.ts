import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import type { IHeaders, Kafka, Message, Producer } from "kafkajs";
import { type TaskMeta, inject, test } from "vitest";

import { type LocalKafka, startKafka } from "../../local/kafka.ts";
import { freePorts } from "../../local/ports.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { type Standin, createStandin } from "../../src/standin/standin.ts";
import { type Letter, committedOffsets, createTopics, journeyKafka, readTopic, uniqueName } from "./cluster.ts";
import { type Service, launch } from "./service.ts";

export const accessKey = "00000000-0000-4000-8000-000000000000";
const partitions = 3;
const linesShown = 60;
const lineLength = 300;

/** Everything that one journey needs, with unique names. Everything it starts is stopped at its end. */
export interface Story {
  readonly kafka: Kafka;
  readonly standin: Standin;
  readonly group: string;
  readonly source: string;
  /** The retry topic of a delay such as `1s`. */
  readonly retryTopic: (delay: string) => string;
  readonly deadLetters: string;
  readonly produce: (messages: Message[], topic?: string) => Promise<void>;
  readonly read: (topic: string) => Promise<Letter[]>;
  readonly committed: (topic?: string) => Promise<number[]>;
  /** The environment of a service, with a free port. */
  readonly env: () => Promise<Readonly<Record<string, string>>>;
  /** Launches the service; by default with retry topics of 1 s and 3 s. */
  readonly launch: (env?: Readonly<Record<string, string>>) => Promise<Service>;
  /** Launches the service and waits until it is ready. */
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<Service>;
  readonly onEnd: (cleanup: () => Promise<void>) => void;
}

const createEnv = async (story: Pick<Story, "standin" | "group" | "source" | "deadLetters">, retry: string) => {
  const [port] = await freePorts(1);
  return {
    KAFKA_BROKERS: inject("brokers"),
    KAFKA_GROUP_ID: story.group,
    SOURCE_TOPICS: story.source,
    RETRY_TOPIC: retry,
    RETRY_DELAYS: "1s,3s",
    DEAD_LETTER_TOPIC: story.deadLetters,
    SCHEMA_REGISTRY_URL: inject("registryUrl"),
    GAINSIGHT_URL: story.standin.url,
    GAINSIGHT_ACCESS_KEY: accessKey,
    BREAKER_PROBE_MIN: "200ms",
    HTTP_HOST: "127.0.0.1",
    HTTP_PORT: String(port),
  };
};

const lazyProducer = (kafka: Kafka) => {
  let connected: Promise<Producer> | undefined;
  const connect = async (): Promise<Producer> => {
    const producer = kafka.producer();
    await producer.connect();
    return producer;
  };
  return {
    get: (): Promise<Producer> => (connected ??= connect()),
    close: async () => (await connected)?.disconnect(),
  };
};

interface Hooks {
  readonly onEnd: Story["onEnd"];
  readonly onFailure: (show: (context: { readonly task: { readonly meta: TaskMeta } }) => void) => void;
}

declare module "vitest" {
  interface TaskMeta {
    /** The last log lines of the services of a failed journey. */
    logs?: string[];
  }
}

/** Prints the end of a log, and keeps it for the JSON reporter. */
const showLog = ({ meta }: { readonly meta: TaskMeta }, { logs }: Service): void => {
  const lines = logs.slice(-linesShown).map((line) => JSON.stringify(line).slice(0, lineLength));
  const end = lines.join("\n");
  process.stderr.write(`${end}\n`);
  meta.logs = [...(meta.logs ?? []), end];
};

const createStory = async ({ onEnd, onFailure }: Hooks): Promise<Story> => {
  const name = uniqueName("story");
  const names = { group: name, source: `${name}-events`, deadLetters: `${name}-dlq` };
  const kafka = journeyKafka();
  const producer = lazyProducer(kafka);
  onEnd(producer.close);
  const standin = await createStandin({ accessKey });
  onEnd(standin.close);
  await createTopics(kafka, [{ topic: names.source, numPartitions: partitions }]);
  const createStoryEnv: Story["env"] = () => createEnv({ standin, ...names }, `${name}-retry`);
  const launchService: Story["launch"] = async (env) => {
    const service = launch({ ...(await createStoryEnv()), ...env });
    onEnd(service.kill);
    onFailure(({ task }) => showLog(task, service));
    return service;
  };
  return {
    ...names,
    kafka,
    standin,
    onEnd,
    retryTopic: (delay) => `${name}-retry-${delay}`,
    produce: async (messages, topic = names.source) => void (await (await producer.get()).send({ topic, messages })),
    read: (topic) => readTopic(kafka, topic),
    committed: (topic = names.source) => committedOffsets(kafka, names.group, topic),
    env: createStoryEnv,
    launch: launchService,
    start: async (env) => {
      const service = await launchService(env);
      await service.untilReady();
      return service;
    },
  };
};

/** A test with its own story. */
export const journey = test.extend("story", ({ onTestFinished, onTestFailed }) =>
  createStory({ onEnd: onTestFinished, onFailure: onTestFailed }));

/** Options of `expect.poll`: polls every 50 ms for at most 20 s. */
export const patient = { timeout: 20_000, interval: 50 };

const firstTime = Date.parse("2026-01-31T12:00:00.000Z");

/** The nth event of a user: its message id is `<user>-<n>`, and its time grows with n. */
export const trackEvent = (userId: string, n: number, more: JsonObject = {}): JsonObject => ({
  type: "track",
  event: "Order Completed",
  messageId: `${userId}-${n}`,
  userId,
  timestamp: new Date(firstTime + n * 1_000).toISOString(),
  properties: { n },
  ...more,
});

/** A text field of an event; empty if it is no text. */
export const textOf = (event: JsonObject, field: string): string => {
  const value = event[field];
  return typeof value === "string" ? value : "";
};

/** An event as a JSON record, with its user as the key. */
export const asJson = (event: JsonObject, headers?: IHeaders): Message => ({
  key: textOf(event, "userId"),
  value: JSON.stringify(event),
  ...(headers && { headers }),
});

/** The next `count` records of a user, from `first` on. */
export const tracks = (userId: string, first: number, count: number): Message[] =>
  Array.from({ length: count }, (_, index) => asJson(trackEvent(userId, first + index)));

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** Message ids in the order of their delivery, of one user or of all. */
export const deliveredIds = ({ standin }: Pick<Story, "standin">, userId?: string): (string | undefined)[] =>
  standin
    .requests(1_000)
    .filter((call) => call.status === 200 && (userId === undefined || call.userId === userId))
    .map(({ messageId }) => messageId);

/** Starts a broker for this story alone, which may be stopped and killed, with these records in a source topic of 3 partitions. */
export const startOwnBroker = async (
  story: Story,
  messages: Message[],
  settings: Readonly<Record<string, string>> = {},
): Promise<LocalKafka> => {
  const own = await startKafka({ count: 1, log: () => {}, more: { addresses: [], settings } });
  story.onEnd(() => own.stop());
  const kafka = journeyKafka(own.brokers);
  await createTopics(kafka, [{ topic: story.source, numPartitions: partitions }]);
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: story.source, messages });
  await producer.disconnect();
  return own;
};

interface Recorded {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** A server in front of the stand-in that records headers and bodies, which the stand-in itself never does. */
export const recordCalls = async ({ standin, onEnd }: Story): Promise<{ url: string; calls: Recorded[] }> => {
  const calls: Recorded[] = [];
  const server = createServer((req, res) => {
    const answer = async (): Promise<void> => {
      const body = await text(req);
      calls.push({ headers: req.headers, body: JSON.parse(body) });
      const headers = { accesskey: String(req.headers["accesskey"]), "content-type": "application/json" };
      const { status } = await fetch(`${standin.url}${req.url}`, { method: "POST", headers, body });
      res.writeHead(status).end("{}");
    };
    answer().catch((error: unknown) => res.destroy(error instanceof Error ? error : undefined));
  });
  const [port] = await freePorts(1);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onEnd(async () => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
};
