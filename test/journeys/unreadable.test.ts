import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { type Message, type Producer, CompressionTypes } from "kafkajs";
import { afterAll, beforeAll, describe } from "vitest";

import { type LocalKafka, startKafka } from "../../local/kafka.ts";
import { programEnv } from "../program-env.ts";
import { committedOffsets, createTopics, journeyKafka } from "./cluster.ts";
import { type LogFile, editBatch, flipBit, setUnknownCodec } from "./log-files.ts";
import { type Service, until } from "./service.ts";
import { type Story, deliveredIds, journey, patient, tracks } from "./story.ts";

let own: LocalKafka;
let producer: Producer;

beforeAll(async () => {
  own = await startKafka({ count: 1, log: () => {} });
  producer = journeyKafka(own.brokers).producer();
  await producer.connect();
});

afterAll(async () => {
  await producer.disconnect();
  await own.stop();
});

const createSource = ({ source }: Story): Promise<void> =>
  createTopics(journeyKafka(own.brokers), [{ topic: source, numPartitions: 3 }]);

/** Sends three events of a user as one batch. */
const sendBatch = async (topic: string, partition: number, messages: Message[]): Promise<void> => {
  const placed = messages.map((message) => ({ ...message, partition }));
  await producer.send({ topic, messages: placed, compression: CompressionTypes.GZIP });
};

const logOf = (topic: string, partition: number): LogFile => ({ folder: own.folder(1), topic, partition });

/** Runs a command from the log, word for word, with the environment of the service. */
const runCommand = async (command: string, env: Readonly<Record<string, string>>): Promise<string> => {
  const [program, ...args] = command.split(" ");
  if (program !== "gainstream") throw new Error(`Not a command of ours: ${command}`);
  const options = { env: { ...programEnv, ...env } };
  return (await promisify(execFile)(process.execPath, ["src/main.ts", ...args], options)).stdout;
};

/** The log lines that say that this partition waits. */
const waitsOf = ({ logs }: Service, topic: string, partition: number) =>
  logs.filter((line) => "skip" in line && line["topic"] === topic && line["partition"] === partition);

const isAlive = async (env: Readonly<Record<string, string>>): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${env["HTTP_PORT"]}/livez`)).ok;

describe.concurrent("batches that cannot be read", () => {
  /*
   * One bit of a gzip batch has flipped on the broker's disk, and a batch of another partition has an unknown codec.
   * Both partitions wait, and the log says where and how to continue; all others are delivered. The operator skips the
   * first batch with the command from the log while the service runs, and the second batch is repaired. Both partitions
   * are read further, and nothing else is lost or delivered twice.
   */
  journey("only their partitions wait, until they are skipped or repaired", async ({ story, expect }) => {
    await createSource(story);
    const { source } = story;
    for (const partition of [0, 1, 2])
      for (const first of [1, 4, 7]) await sendBatch(source, partition, tracks(`u${partition}`, first, 3));
    await editBatch(logOf(source, 0), 3, flipBit);
    const repair = await editBatch(logOf(source, 2), 3, setUnknownCodec);
    const env = { ...(await story.env()), KAFKA_BROKERS: own.brokers };
    const service = await story.start(env);
    const command = `gainstream skip --topic ${source} --partition 0 --to-offset 6`;
    await expect.poll(() => deliveredIds(story, "u1"), patient).toHaveLength(9);
    await expect
      .poll(() => waitsOf(service, source, 0), patient)
      .toEqual([
        expect.objectContaining({
          level: "warn",
          offset: 3,
          lastOffset: 5,
          reason: "Its checksum is wrong",
          skip: command,
        }),
      ]);
    await expect
      .poll(() => waitsOf(service, source, 2), patient)
      .toEqual([expect.objectContaining({ offset: 3, lastOffset: 5, reason: "Its compression type 6 is unknown" })]);
    expect([deliveredIds(story, "u0"), deliveredIds(story, "u2")]).toEqual([
      ["u0-1", "u0-2", "u0-3"],
      ["u2-1", "u2-2", "u2-3"],
    ]);
    expect(await service.readiness()).toMatchObject({
      ok: true,
      warnings: expect.arrayContaining([expect.stringContaining(command)]),
    });
    const unreadable = [0, 2].map((partition) => expect.objectContaining({ topic: source, partition, offset: 3 }));
    expect(await service.status()).toMatchObject({ unreadable: expect.arrayContaining(unreadable) });
    const at = (partition: string) => service.metric("gainstream_unreadable_offset", { partition });
    expect([await at("0"), await at("2")]).toEqual([3, 3]);
    await repair();
    expect(await service.metric("gainstream_lag", { topic: source, partition: "0" })).toBe(6);
    await sendBatch(source, 0, tracks("u0", 10, 3));
    await sendBatch(source, 1, tracks("u1", 10, 3));
    await expect.poll(() => deliveredIds(story, "u1"), patient).toHaveLength(12);

    expect(await runCommand(command, env)).toContain("below offset 6");
    const rest = (user: string, ...numbers: number[]) => numbers.map((n) => `${user}-${n}`);
    await expect.poll(() => deliveredIds(story, "u0"), patient).toEqual(rest("u0", 1, 2, 3, 7, 8, 9, 10, 11, 12));
    await expect.poll(() => deliveredIds(story, "u2"), patient).toEqual(rest("u2", 1, 2, 3, 4, 5, 6, 7, 8, 9));
    const skipped = { level: "error", topic: source, partition: 0, offset: 3, lastOffset: 5 };
    expect(service.logs).toContainEqual(expect.objectContaining(skipped));
    expect(await service.metric("gainstream_offsets_skipped_total", { topic: source })).toBe(3);
    await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: [] });
    expect([waitsOf(service, source, 0).length, await isAlive(env)]).toEqual([1, true]);
    const committed = () => committedOffsets(journeyKafka(own.brokers), story.group, source);
    await expect.poll(committed, patient).toEqual([12, 12, 9]);
    expect(await service.stop()).toBe(0);
    const again = await story.start({ ...env, HTTP_PORT: (await story.env())["HTTP_PORT"] ?? "" });
    await sendBatch(source, 0, tracks("u0", 13, 1));
    await expect.poll(() => deliveredIds(story, "u0").at(-1), patient).toBe("u0-13");
    expect(again.logs.filter((line) => "skip" in line)).toEqual([]);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
  });

  /*
   * A batch of 100 kB decompresses to 100 MB. The broker accepts it. The service stops decompressing at its limit,
   * reports that, and only this partition waits. When the operator has skipped the batch, the partition is read
   * further.
   */
  journey("a decompression bomb does not exhaust memory", async ({ story, expect }) => {
    await createSource(story);
    const { source } = story;
    await sendBatch(source, 0, [{ key: "bomb", value: Buffer.alloc(100 * 1024 * 1024) }]);
    await sendBatch(source, 0, tracks("u0", 1, 3));
    await sendBatch(source, 1, tracks("u1", 1, 3));
    const env = { ...(await story.env()), KAFKA_BROKERS: own.brokers };
    const service = await story.start(env);
    await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-1", "u1-2", "u1-3"]);
    await expect
      .poll(() => waitsOf(service, source, 0), patient)
      .toEqual([
        expect.objectContaining({ offset: 0, lastOffset: 0, reason: expect.stringContaining("holds more than") }),
      ]);
    expect(await service.metric("process_resident_memory_bytes")).toBeLessThan(350e6);
    expect(deliveredIds(story, "u0")).toEqual([]);
    await runCommand(String(waitsOf(service, source, 0)[0]?.["skip"]), env);
    await expect.poll(() => deliveredIds(story, "u0"), patient).toEqual(["u0-1", "u0-2", "u0-3"]);
    expect(await service.stop()).toBe(0);
  });

  /*
   * While no service runs, the record of a parked user in a retry topic becomes unreadable. After the start it is
   * unknown who is parked in that partition number, so the partitions with that number of all topics wait. The others
   * are delivered, and the service is ready. When the operator has skipped the record, the user's later events are
   * delivered.
   */
  journey("one in a retry topic blocks only the partitions with its number", async ({ story, expect }) => {
    await createSource(story);
    const { source } = story;
    const env = { ...(await story.env()), KAFKA_BROKERS: own.brokers, RETRY_DELAYS: "1h" };
    const fault = story.standin.faults.add({ kind: "status", status: 500, match: { messageId: "u1-1" } });
    const first = await story.start(env);
    await sendBatch(source, 1, tracks("u1", 1, 1));
    await until("the event waits", async () => (await first.metric("gainstream_retries_total")) === 1 || undefined);
    expect(await first.stop()).toBe(0);
    await story.standin.faults.clear(fault.id);
    await editBatch(logOf(story.retryTopic("1h"), 1), 0, flipBit);
    const second = await story.start({ ...env, HTTP_PORT: (await story.env())["HTTP_PORT"] ?? "" });
    await sendBatch(source, 1, tracks("u1", 2, 2));
    await sendBatch(source, 2, tracks("u2", 1, 3));
    await expect.poll(() => deliveredIds(story, "u2"), patient).toHaveLength(3);
    const [line] = await until("it says that it waits", () => {
      const lines = waitsOf(second, story.retryTopic("1h"), 1);
      return lines.length > 0 ? lines : undefined;
    });
    expect(line?.msg).toContain("Meanwhile partition 1 of every other topic waits too");
    expect([deliveredIds(story, "u1"), (await second.readiness()).ok]).toEqual([[], true]);
    await runCommand(String(line?.["skip"]), env);
    await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-2", "u1-3"]);
    await until("it is skipped", () => second.logs.find(({ msg }) => msg.startsWith("Skipped offsets")));
  });
});
