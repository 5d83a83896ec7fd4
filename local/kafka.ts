import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Kafka, logLevel } from "kafkajs";

import { patchTimer } from "../src/kafka/timer-patch.ts";
import { kafkaPackage } from "./packages.ts";
import type { Log } from "./packages.ts";
import { freePorts, retryTakenPort } from "./ports.ts";
import { createProcessGuard } from "./process-guard.ts";
import type { ProcessGuard } from "./process-guard.ts";
import { createServer, runJava } from "./server.ts";
import type { Server } from "./server.ts";

export interface LocalKafka {
  /** In the format of KAFKA_BROKERS: host:port, comma-separated. */
  readonly brokers: string;
  /** Brokers count from 1. Throws for a number that does not exist. */
  broker(id: number): Server;
  /** The folder with a broker's partition logs. */
  folder(id: number): string;
  stop(): Promise<void>;
}

/** A node of the cluster: broker and controller in one process. */
interface BrokerNode {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
}

/** Settings in addition to the plain listener: listeners with TLS or SASL, an authorizer. */
export interface ExtraBrokerSettings {
  /** The listeners of each broker, in broker order, in Kafka's format NAME://host:port. */
  readonly addresses: readonly (readonly string[])[];
  /** The advertised listeners, in the same format, if they differ: for example behind a proxy. */
  readonly advertised?: readonly (readonly string[])[];
  /** Further entries of the broker's settings file. */
  readonly settings: Readonly<Record<string, string>>;
  /** Options of the JVM. */
  readonly java?: readonly string[];
}

const noMore: ExtraBrokerSettings = { addresses: [], settings: {} };

interface KafkaOptions {
  readonly count: number;
  readonly log: Log;
  readonly more?: ExtraBrokerSettings | undefined;
}

/** Starts `count` brokers, which are also controllers. Every topic gets as many replicas as there are brokers, at most 3. */
export async function startKafka({ count, log, more }: KafkaOptions): Promise<LocalKafka> {
  const home = await kafkaPackage(log);
  return retryTakenPort(async () => {
    const guard = await createProcessGuard();
    try {
      const nodes = await chooseNodes(count);
      const clusterId = createClusterId();
      const servers = await Promise.all(nodes.map((node) => startNode({ home, guard, nodes, node, clusterId, more })));
      return {
        brokers: nodes.map(({ port }) => `127.0.0.1:${port}`).join(","),
        broker: (id) => brokerOf(servers, id),
        folder: (id) => folderOf(guard, id),
        stop: () => guard.end(),
      };
    } catch (error) {
      await guard.end();
      throw error;
    }
  });
}

/** The settings file of broker `node` in the cluster of `nodes`, with its data in `folder`. */
export function brokerProperties(options: {
  node: BrokerNode;
  nodes: readonly BrokerNode[];
  folder: string;
  more?: ExtraBrokerSettings | undefined;
}): string {
  const { node, nodes, folder, more = noMore } = options;
  const plain = `PLAINTEXT://127.0.0.1:${node.port}`;
  const ofThis = (all: ExtraBrokerSettings["addresses"]): readonly string[] => all[node.id - 1] ?? [];
  const replicas = Math.min(nodes.length, 3);
  const inSync = Math.min(replicas, 2);
  const settings = {
    "process.roles": "broker,controller",
    "node.id": node.id,
    "controller.quorum.voters": nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(","),
    listeners: [plain, ...ofThis(more.addresses), `CONTROLLER://127.0.0.1:${node.controllerPort}`].join(","),
    "advertised.listeners": [plain, ...ofThis(more.advertised ?? more.addresses)].join(","),
    "controller.listener.names": "CONTROLLER",
    "log.dirs": folder,
    "auto.create.topics.enable": false,
    "default.replication.factor": replicas,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": replicas,
    "offsets.topic.num.partitions": 3,
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": inSync,
    "transaction.state.log.num.partitions": 3,
    "group.initial.rebalance.delay.ms": 0,
    // After kill -9 the controller accepts a broker again only when its session has expired: by default after 9 s.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    ...more.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

async function chooseNodes(count: number): Promise<BrokerNode[]> {
  const ports = await freePorts(count * 2);
  return Array.from({ length: count }, (_, index) => {
    const [port = 0, controllerPort = 0] = ports.slice(index * 2);
    return { id: index + 1, port, controllerPort };
  });
}

async function startNode(options: {
  home: string;
  guard: ProcessGuard;
  nodes: readonly BrokerNode[];
  node: BrokerNode;
  clusterId: string;
  more: ExtraBrokerSettings | undefined;
}): Promise<Server> {
  const { home, guard, nodes, node, clusterId, more } = options;
  const folder = folderOf(guard, node.id);
  const file = `${folder}.properties`;
  await mkdir(folder);
  await writeFile(file, brokerProperties({ node, nodes, folder, more }));
  const java = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", ...(more?.java ?? []), "-cp", join(home, "*")];
  await runJava(guard, {
    name: `format-${node.id}`,
    args: [...java, "kafka.tools.StorageTool", "format", "-t", clusterId, "-c", file],
  });
  const server = createServer({
    guard,
    name: `broker-${node.id}`,
    args: [...java, "kafka.Kafka", file],
    check: () => checkBroker(node, clusterId),
  });
  await server.start();
  return server;
}

/** A broker is ready if it answers, belongs to this cluster and the controller has registered it. */
async function checkBroker({ id, port }: BrokerNode, clusterId: string): Promise<void> {
  patchTimer();
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    requestTimeout: 5000,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const found = await admin.describeCluster();
    if (found.clusterId !== clusterId) throw new Error(`Another cluster answers at port ${port}`);
    if (!found.brokers.some(({ nodeId }) => nodeId === id)) throw new Error(`Broker ${id} is not in its cluster yet`);
  } finally {
    await admin.disconnect();
  }
}

/** Kafka's cluster ids are 16 bytes in base64url. A leading "-" would be read as an option, so it starts with K. */
function createClusterId(): string {
  return `K${randomBytes(16).toString("base64url").slice(1)}`;
}

function folderOf(guard: ProcessGuard, id: number): string {
  return join(guard.folder, `broker-${id}`);
}

function brokerOf(servers: readonly Server[], id: number): Server {
  const server = servers[id - 1];
  if (server === undefined)
    throw new Error(`Cannot find broker ${id}: this cluster has brokers 1 to ${servers.length}`);
  return server;
}
