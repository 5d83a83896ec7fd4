import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Producer } from "kafkajs";
import { type ExpectStatic, afterAll, beforeAll, describe, inject } from "vitest";

import { createTopics, journeyKafka } from "../journeys/cluster.ts";
import type { Service } from "../journeys/service.ts";
import { type Story, deliveredIds, journey, patient, tracks } from "../journeys/story.ts";
import type { Certificate } from "./certificates.ts";
import { encrypt } from "./encrypt.ts";
import { type Listener, type SecureBroker, plainUser, scramUsers, startSecureBroker } from "./secure-broker.ts";

type Env = Readonly<Record<string, string>>;

let broker: SecureBroker;
let producer: Producer;

beforeAll(async () => {
  broker = await startSecureBroker();
  producer = journeyKafka(broker.kafka.brokers).producer();
  await producer.connect();
});

afterAll(async () => {
  await producer.disconnect();
  await broker.stop();
});

const at = (listener: Listener): Env => ({ KAFKA_BROKERS: broker.addresses[listener] });
const trusting = (ca = broker.authority.ca): Env => ({ KAFKA_TLS: "true", KAFKA_TLS_CA_FILE: ca });
const showing = ({ cert, key }: Pick<Certificate, "cert" | "key">): Env => ({
  KAFKA_TLS_CERT_FILE: cert,
  KAFKA_TLS_KEY_FILE: key,
});
const loggingIn = (user: { mechanism: string; username: string; password: string }): Env => ({
  KAFKA_SASL_MECHANISM: user.mechanism,
  KAFKA_SASL_USERNAME: user.username,
  KAFKA_SASL_PASSWORD: user.password,
});

/** Produces over the plain listener. Creates the topic before the first event. */
const produce = async (story: Story, first: number): Promise<void> => {
  const kafka = journeyKafka(broker.kafka.brokers);
  if (first === 1) await createTopics(kafka, [{ topic: story.source, numPartitions: 3 }]);
  await producer.send({ topic: story.source, messages: tracks("u1", first, 1) });
};

/** No password and no key is in the logs. */
const expectNoSecrets = (service: Service, env: Env, expect: ExpectStatic): void => {
  const output = JSON.stringify(service.logs) + service.errors();
  const keyFile = env["KAFKA_TLS_KEY_FILE"];
  const secrets = [
    env["KAFKA_SASL_PASSWORD"],
    keyFile === undefined ? undefined : readFileSync(keyFile, "utf8").split("\n")[1],
  ];
  for (const secret of secrets) if (secret !== undefined) expect(output).not.toContain(secret);
};

/** The service waits, says why in its log and at /readyz, and logs no secret. */
const expectRefused = async (service: Service, env: Env, reason: RegExp, expect: ExpectStatic): Promise<void> => {
  await expect
    .poll(() => service.readiness(), patient)
    .toMatchObject({ ok: false, reasons: [expect.stringMatching(reason)] });
  expect(service.logs).toContainEqual(expect.objectContaining({ problem: expect.stringMatching(reason) }));
  expectNoSecrets(service, env, expect);
};

/*
 * Kafka requires TLS, a login, or both. Over each of these the service reads, delivers, creates its topics and commits.
 */
describe.concurrent("a secure Kafka", () => {
  const ways: [name: string, env: () => Env][] = [
    ["TLS", () => ({ ...at("tls"), ...trusting() })],
    ["TLS with a client certificate", () => ({ ...at("mtls"), ...trusting(), ...showing(broker.client) })],
    ["PLAIN", () => ({ ...at("sasl"), ...loggingIn(plainUser) })],
    ["SCRAM-SHA-256", () => ({ ...at("sasl"), ...loggingIn(scramUsers[0]) })],
    ["SCRAM-SHA-512", () => ({ ...at("sasl"), ...loggingIn(scramUsers[1]) })],
    ["PLAIN within TLS", () => ({ ...at("sasltls"), ...trusting(), ...loggingIn(plainUser) })],
    ["SCRAM-SHA-256 within TLS", () => ({ ...at("sasltls"), ...trusting(), ...loggingIn(scramUsers[0]) })],
    ["SCRAM-SHA-512 within TLS", () => ({ ...at("sasltls"), ...trusting(), ...loggingIn(scramUsers[1]) })],
  ];
  for (const [name, create] of ways)
    journey(`is read over ${name}`, async ({ story, expect }) => {
      const env = create();
      await produce(story, 1);
      const service = await story.start({ ...env, LOG_LEVEL: "debug" });
      await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
      expect(await service.stop()).toBe(0);
      expectNoSecrets(service, env, expect);
    });
});

/*
 * Something about the certificates, the login or the listener is wrong. The service names the variable to check and
 * retries instead of ending, because the other side may be corrected. It never connects in another way than configured.
 */
describe.concurrent("a Kafka that rejects the service", () => {
  const wrong = "wrong-Secret";
  const mistakes: [name: string, reason: RegExp, env: () => Env][] = [
    ["another authority", /KAFKA_TLS_CA_FILE/, () => ({ ...at("tls"), ...trusting(broker.otherAuthority.ca) })],
    ["no authority", /KAFKA_TLS_CA_FILE/, () => ({ ...at("tls"), KAFKA_TLS: "true" })],
    ["an expired certificate", /certificate has expired/, () => ({ ...at("expired"), ...trusting() })],
    ["a certificate for another host", /for another host.*KAFKA_BROKERS/, () => ({ ...at("misnamed"), ...trusting() })],
    ["no client certificate", /KAFKA_TLS_CERT_FILE/, () => ({ ...at("mtls"), ...trusting() })],
    [
      "a client certificate of another authority",
      /KAFKA_TLS_CERT_FILE/,
      () => ({ ...at("mtls"), ...trusting(), ...showing(broker.otherClient) }),
    ],
    [
      "a certificate and the key of another certificate",
      /KAFKA_TLS_CERT_FILE with KAFKA_TLS_KEY_FILE/,
      () => ({
        ...at("mtls"),
        ...trusting(),
        ...showing({ cert: broker.client.cert, key: broker.otherClient.key }),
      }),
    ],
    ["no TLS for a TLS listener", /closed the connection.*KAFKA_TLS/, () => at("tls")],
    [
      "TLS for a plain listener",
      /did not answer in TLS/,
      () => ({ ...trusting(), KAFKA_BROKERS: broker.kafka.brokers, ...loggingIn(plainUser) }),
    ],
    [
      "a wrong password",
      /KAFKA_SASL_PASSWORD/,
      () => ({ ...at("sasl"), ...loggingIn({ ...plainUser, password: wrong }) }),
    ],
    [
      "a wrong password for SCRAM",
      /KAFKA_SASL_PASSWORD/,
      () => ({ ...at("sasltls"), ...trusting(), ...loggingIn({ ...scramUsers[0], password: wrong }) }),
    ],
    [
      "an unknown user",
      /KAFKA_SASL_USERNAME/,
      () => ({ ...at("sasl"), ...loggingIn({ ...scramUsers[1], username: "nobody" }) }),
    ],
    ["no login for a SASL listener", /KAFKA_SASL_MECHANISM/, () => at("sasl")],
    [
      "a login for a plain listener",
      /wants no log-in/,
      () => ({ KAFKA_BROKERS: broker.kafka.brokers, ...loggingIn(plainUser) }),
    ],
  ];
  for (const [name, reason, create] of mistakes)
    journey(`is named: ${name}`, async ({ story, expect }) => {
      const env = create();
      await expectRefused(await story.launch(env), env, reason, expect);
    });
});

describe.concurrent("replaced secrets", () => {
  /*
   * The broker has a new password for the user, and the mounted Secret changes a while later. Meanwhile the broker
   * rejects the service, which keeps running. With the new file it continues by itself.
   */
  journey("a new password is used without a restart", async ({ story, expect }) => {
    const file = join(await mkdtemp(join(broker.folder, "password-")), "password");
    const user = { mechanism: "scram-sha-512", username: "rita", password: "rita-Secret-1" } as const;
    const env = { ...at("sasl"), ...loggingIn(user), KAFKA_SASL_PASSWORD: "", KAFKA_SASL_PASSWORD_FILE: file };
    await writeFile(file, `${user.password}\n`);
    await broker.setPassword(user);
    await produce(story, 1);
    const service = await story.start(env);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);

    const next = "rita-Secret-2";
    await broker.setPassword({ ...user, password: next });
    await expect
      .poll(() => service.logs, patient)
      .toContainEqual(
        expect.objectContaining({ msg: expect.stringMatching(/refuses the log-in.*KAFKA_SASL_PASSWORD/) }),
      );
    await produce(story, 2);
    await writeFile(`${file}.next`, next);
    await rename(`${file}.next`, file);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2"]);
    expect(await service.stop()).toBe(0);
    for (const secret of [user.password, next]) expect(JSON.stringify(service.logs)).not.toContain(secret);
  });
});

describe("certificates", () => {
  /*
   * The mounted client certificate is from another authority. When the right one is mounted, the next connection uses
   * it, and the service starts. Later the wrong one is mounted again, and the broker restarts: the service is rejected,
   * keeps running, and continues when the right one is back.
   */
  journey("a new client certificate is used without a restart", async ({ story, expect }) => {
    const folder = await mkdtemp(join(broker.folder, "client-"));
    const mounted = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key") };
    const mount = async ({ cert, key }: Certificate): Promise<void> => {
      await copyFile(cert, mounted.cert);
      await copyFile(key, mounted.key);
    };
    const refusals = (): number => service.logs.filter(({ msg }) => msg.includes("KAFKA_TLS_CERT_FILE")).length;
    await mount(broker.otherClient);
    await produce(story, 1);
    const service = await story.launch({ ...at("mtls"), ...trusting(), ...showing(mounted) });
    await expect.poll(refusals, patient).toBeGreaterThan(0);
    await mount(broker.client);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);

    await mount(broker.otherClient);
    const before = refusals();
    await broker.kafka.broker(1).stop();
    await broker.kafka.broker(1).start();
    await produce(story, 2);
    await expect.poll(refusals, patient).toBeGreaterThan(before);
    expect(deliveredIds(story)).toEqual(["u1-1"]);
    await mount(broker.client);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2"]);
    expect(await service.stop()).toBe(0);
  });

  /*
   * The certificates of Gainsight and the registry are from the company's own authority. Without NODE_EXTRA_CA_CERTS
   * nothing is sent; with it everything is delivered.
   */
  journey(
    "NODE_EXTRA_CA_CERTS adds a certificate authority for Gainsight and the registry",
    async ({ story, expect }) => {
      await produce(story, 1);
      const certificate = await broker.authority.sign("proxy");
      const gainsight = await encrypt(story, story.standin.url, certificate);
      const registry = await encrypt(story, inject("registryUrl"), certificate);
      const env = {
        KAFKA_BROKERS: broker.kafka.brokers,
        RETRY_DELAYS: "1s",
        GAINSIGHT_URL: gainsight.url,
        SCHEMA_REGISTRY_URL: registry.url,
      };
      const withoutAuthority = await story.start(env);
      const failures = (): Promise<number> => withoutAuthority.metric("gainstream_calls_total", { status: "network" });
      await expect.poll(failures, patient).toBeGreaterThan(0);
      expect(await withoutAuthority.stop()).toBe(0);
      expect([gainsight.connections(), registry.connections(), story.standin.requests(1)]).toEqual([0, 0, []]);

      const withAuthority = await story.start({ ...env, NODE_EXTRA_CA_CERTS: broker.authority.ca });
      await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
      await expect.poll(registry.connections, patient).toBeGreaterThan(0);
      expect(await withAuthority.stop()).toBe(0);
    },
  );
});
