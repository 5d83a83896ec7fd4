import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import type { Producer } from "kafkajs";
import { type ExpectStatic, afterAll, beforeAll, describe } from "vitest";

import { type Operation, type Right, groupRight, topicRight } from "../../src/kafka/rights/rights.ts";
import { markedTable } from "../docs/marked.ts";
import { createTopics, journeyKafka, readTopic } from "../journeys/cluster.ts";
import type { Service } from "../journeys/service.ts";
import { type Story, deliveredIds, journey, patient, tracks } from "../journeys/story.ts";
import { programEnv } from "../program-env.ts";
import { type AclBroker, startAclBroker } from "./acl-broker.ts";

let broker: AclBroker;
let producer: Producer;

beforeAll(async () => {
  broker = await startAclBroker(["least", "revoked", "late", "one", "other", "operator"]);
  producer = journeyKafka(broker.kafka.brokers).producer();
  await producer.connect();
});

afterAll(async () => {
  await producer.disconnect();
  await broker.stop();
});

/** Exactly the rights in the table of docs/permissions.md. */
const documented = (story: Story, table: "least-rights" | "more-rights"): Right[] =>
  markedTable("docs/permissions.md", table).map(([resource = "", right = ""]) => {
    const operation = right.replaceAll("`", "") as Operation;
    if (resource === "group") return groupRight(operation, story.group);
    const topics: Readonly<Record<string, string>> = {
      "each source topic": story.source,
      "each retry topic": story.retryTopic("1s"),
      "dead-letter topic": story.deadLetters,
    };
    return topicRight(operation, topics[resource] ?? resource);
  });

const nameOf = ({ operation, resource }: Right): string =>
  `${operation} on ${resource.kind} ${resource.kind === "cluster" ? "" : resource.name}`;

const byName = (rights: readonly Right[]): Right[] => rights.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));

const create = (topics: readonly string[]): Promise<void> =>
  createTopics(
    journeyKafka(broker.kafka.brokers),
    topics.map((topic) => ({ topic, numPartitions: 3 })),
  );

const send = ({ source }: Story, messages: Parameters<Producer["send"]>[0]["messages"]): Promise<unknown> =>
  producer.send({ topic: source, messages });

const launchAs = (story: Story, user: string): Promise<Service> =>
  story.launch({ ...broker.env(user), RETRY_DELAYS: "1s", QUICK_ATTEMPTS: "1" });

/** Runs `gainstream skip` as this user. Resolves with the exit code and the output. */
const skipAs = async (user: string, story: Story): Promise<readonly [code: number, output: string]> => {
  const args = ["src/main.ts", "skip", "--topic", story.source, "--partition", "0", "--to-offset", "2"];
  const env = { ...programEnv, ...(await story.env()), ...broker.env(user) };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return [Number(code), (out + error).trim()];
};

/** The sentence that names the right, the resource and the command. */
const sentenceOf = ({ operation, resource }: Right, user: string): RegExp => {
  const name = resource.kind === "cluster" ? "" : resource.name;
  return new RegExp(
    `refuses the right ${operation} on ${resource.kind} ${name}: grant it with kafka-acls\\.sh --bootstrap-server ${broker.env(user)["KAFKA_BROKERS"]} ` +
      `--add --allow-principal User:${user} --operation ${operation} --${resource.kind} ${name}(?:;|$)`,
  );
};

/** The service is not ready, and /readyz names the right. */
const expectNamed = async (
  service: Service,
  { right, user }: { right: Right; user: string },
  expect: ExpectStatic,
): Promise<void> => {
  const sentence = expect.stringMatching(sentenceOf(right, user));
  await expect
    .poll(() => service.readiness(), patient)
    .toMatchObject({ ok: false, reasons: expect.arrayContaining([sentence]) });
};

describe.concurrent("a Kafka with an authorizer", () => {
  /*
   * The service has exactly the rights in docs/permissions.md. It creates its topics, delivers, retries and dead-
   * letters. After that it does the same without the right to create, because the topics exist.
   */
  journey("is served with the least rights", async ({ story, expect }) => {
    await create([story.source]);
    const rights = documented(story, "least-rights");
    const toCreate = documented(story, "more-rights").filter(({ operation }) => operation === "Create");
    await broker.grant("least", [...rights, ...toCreate]);
    story.standin.faults.add({ kind: "status", status: 500, count: 1, match: { messageId: "u1-1" } });
    const service = await launchAs(story, "least");
    await service.untilReady();
    await send(story, [...tracks("u1", 1, 2), ...tracks("u2", 1, 1), { key: "u3", value: "{" }]);
    await expect.poll(() => new Set(deliveredIds(story)), patient).toEqual(new Set(["u1-1", "u1-2", "u2-1"]));
    expect(deliveredIds(story, "u1")).toEqual(["u1-1", "u1-2"]);
    const read = (topic: string) => readTopic(journeyKafka(broker.kafka.brokers), topic);
    await expect.poll(async () => (await read(story.deadLetters)).length, patient).toBe(1);
    expect(await read(story.retryTopic("1s"))).toHaveLength(2);
    expect(service.logs).toContainEqual(
      expect.objectContaining({
        msg: expect.stringMatching(/not checked.*kafka-acls.* --operation DescribeConfigs --topic /),
      }),
    );
    expect(await service.stop()).toBe(0);

    await broker.revoke("least", toCreate);
    const again = await launchAs(story, "least");
    await again.untilReady();
    await send(story, tracks("u1", 3, 1));
    await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-1", "u1-2", "u1-3"]);
    expect(await again.stop()).toBe(0);
    expect(story.standin.ledger()).toMatchObject({ distinct: 4, duplicates: 0, inversions: 0 });
  });

  /*
   * Events arrive all the time, and some of them fail, while one right after another is revoked. Each time the service
   * names the right with the command that grants it, and keeps running. When the right is granted again, it continues:
   * nothing is lost, delivered twice or out of order.
   */
  journey("may revoke any right while the service runs", { timeout: 120_000 }, async ({ story, expect }) => {
    await create([story.source, story.retryTopic("1s"), story.deadLetters]);
    const rights = documented(story, "least-rights");
    await broker.grant("revoked", rights);
    story.standin.faults.add({ kind: "status", status: 500, ratio: 0.02 });
    const service = await launchAs(story, "revoked");
    await service.untilReady();
    let rounds = 0;
    const producing = { isOver: false };
    const users = ["a", "b", "c", "d"];
    const traffic = async (): Promise<void> => {
      while (!producing.isOver) {
        rounds++;
        const valid = users.flatMap((user) => tracks(user, rounds, 1));
        await send(story, rounds % 10 === 0 ? [...valid, { key: "broken", value: "{" }] : valid);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    story.onEnd(async () => void (producing.isOver = true));
    const sent = traffic();
    for (const right of rights) {
      const delivered = deliveredIds(story).length;
      await broker.revoke("revoked", [right]);
      await expectNamed(service, { right, user: "revoked" }, expect);
      await broker.grant("revoked", [right]);
      await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: [] });
      await expect.poll(() => deliveredIds(story).length, patient).toBeGreaterThan(delivered);
      const lines = service.logs.filter(({ msg }) => sentenceOf(right, "revoked").test(msg));
      expect(lines).toHaveLength(1);
    }
    producing.isOver = true;
    await sent;
    await story.standin.faults.clear();
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(users.length * rounds);
    expect(story.standin.ledger()).toMatchObject({ inversions: 0, duplicates: 0 });
    expect(await service.stop()).toBe(0);
  });

  /*
   * The service starts without any right, and there is no dead-letter topic. It names all missing rights on topics at
   * once, then only those that are still missing, then the right to create the topic, and the right on the group. With
   * the last one it delivers.
   */
  journey("may grant the rights after the start", async ({ story, expect }) => {
    await create([story.source, story.retryTopic("1s")]);
    const user = "late";
    await send(story, tracks("u1", 1, 2));
    const service = await launchAs(story, user);
    const reasons = async (): Promise<string> => (await service.readiness()).reasons.join("; ");
    const refused = async (): Promise<string[]> =>
      [...(await reasons()).matchAll(/right (\w+ on \w+ \S+):/g)].map(([, right = ""]) => right).toSorted();
    const isOfGroup = ({ resource }: Right): boolean => resource.kind === "group";
    const missing = documented(story, "least-rights").filter((right) => !isOfGroup(right));
    while (missing.length > 0) {
      await expect.poll(refused, patient).toEqual(byName(missing).map(nameOf));
      for (const right of missing) expect(await reasons()).toMatch(sentenceOf(right, user));
      await broker.grant(user, missing.splice(0, 1));
    }
    const last = [topicRight("Create", story.deadLetters), ...documented(story, "least-rights").filter(isOfGroup)];
    for (const right of last) {
      await expectNamed(service, { right, user }, expect);
      expect(deliveredIds(story)).toEqual([]);
      await broker.grant(user, [right]);
    }
    await service.untilReady();
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2"]);
    expect(await service.stop()).toBe(0);
  });

  /*
   * An operator skips an unreadable batch but may not write to the group of skips. The command ends with 1 and names
   * the right. With the right it ends with 0.
   */
  journey("makes gainstream skip name the right it lacks", async ({ story, expect }) => {
    await create([story.source]);
    await send(
      story,
      tracks("u1", 1, 3).map((message) => Object.assign(message, { partition: 0 })),
    );
    const right = groupRight("Read", `${story.group}-skips`);
    await broker.grant("operator", [topicRight("Read", story.source)]);
    expect(await skipAs("operator", story)).toEqual([1, expect.stringMatching(sentenceOf(right, "operator"))]);
    await broker.grant("operator", [right]);
    expect(await skipAs("operator", story)).toEqual([0, expect.stringContaining("below offset 2")]);
  });

  /*
   * Two instances of a group have different principals, and one of them loses the right to read the source. It leaves
   * the group, so the other instance owns all partitions within seconds, and it does not disturb that one while it
   * waits. SIGTERM ends it gracefully.
   */
  journey("may reject one instance, and the other one takes over", async ({ story, expect }) => {
    await create([story.source, story.retryTopic("1s"), story.deadLetters]);
    const rights = documented(story, "least-rights");
    for (const user of ["one", "other"]) await broker.grant(user, rights);
    const [one, other] = [await launchAs(story, "one"), await launchAs(story, "other")];
    await Promise.all([one.untilReady(), other.untilReady()]);
    const owned = async (service: Service): Promise<number> => (await service.status()).lag.length;
    await expect
      .poll(async () => [await owned(one), await owned(other)].every((count) => count > 0), patient)
      .toBe(true);

    const right = topicRight("Read", story.source);
    await broker.revoke("other", [right]);
    await expectNamed(other, { right, user: "other" }, expect);
    // Not earlier: the instance could not commit events that it fetched with the old right, and the other one would deliver them again.
    await send(
      story,
      ["a", "b", "c", "d", "e", "f"].flatMap((user) => tracks(user, 1, 3)),
    );
    await expect.poll(() => owned(one), { ...patient, timeout: 8_000 }).toBe(6);
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(18);
    const joins = (): number => one.logs.filter(({ msg }) => msg === "The group is joining").length;
    const before = joins();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(joins()).toBe(before);
    expect(await other.stop()).toBe(0);
    expect(await one.stop()).toBe(0);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
  });
});
