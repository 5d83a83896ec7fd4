import { mkdtemp, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Producer } from "kafkajs";
import { type ExpectStatic, afterAll, beforeAll, describe } from "vitest";

import { openSink } from "../../src/cli/send-kafka.ts";
import { readConfig } from "../../src/config/env/read-config.ts";
import { createTopics, journeyKafka } from "../journeys/cluster.ts";
import type { Service } from "../journeys/service.ts";
import { type Story, accessKey, deliveredIds, journey, patient, tracks } from "../journeys/story.ts";
import { type OauthBroker, startOauthBroker } from "./oauth-broker.ts";
import { answerJson } from "./token-server.ts";

/** The lifetime of a token: minutes in production, seconds here. */
const tokenSeconds = 4;

let broker: OauthBroker;
let producer: Producer;

beforeAll(async () => {
  broker = await startOauthBroker(tokenSeconds);
  producer = journeyKafka(broker.kafka.brokers).producer();
  await producer.connect();
});

afterAll(async () => {
  await producer.disconnect();
  await broker.stop();
});

type Env = Readonly<Record<string, string>>;

/** Each story uses its own path of the token server. */
const pathOf = ({ group }: Story): string => `/${group}`;

const byServer = (story: Story, more: Env = {}): Env => ({
  KAFKA_BROKERS: broker.address,
  KAFKA_SASL_MECHANISM: "oauthbearer",
  KAFKA_SASL_OAUTH_TOKEN_URL: `${broker.server.url}${pathOf(story)}`,
  KAFKA_SASL_OAUTH_CLIENT_ID: broker.server.clientId,
  KAFKA_SASL_OAUTH_CLIENT_SECRET: broker.server.clientSecret,
  LOG_LEVEL: "debug",
  ...more,
});

const create = (story: Story): Promise<void> =>
  createTopics(journeyKafka(broker.kafka.brokers), [{ topic: story.source, numPartitions: 3 }]);

const users = ["a", "b", "c", "d"];

/** Sends the next event of each user every 50 ms until `end`, which resolves with their number. */
const traffic = (story: Story) => {
  let rounds = 0;
  const state = { isOver: false };
  const run = async (): Promise<void> => {
    while (!state.isOver) {
      rounds++;
      await producer.send({ topic: story.source, messages: users.flatMap((user) => tracks(user, rounds, 1)) });
      await sleep(50);
    }
  };
  story.onEnd(async () => void (state.isOver = true));
  const done = run();
  return {
    end: async (): Promise<number> => {
      state.isOver = true;
      await done;
      return users.length * rounds;
    },
  };
};

const produce = async (story: Story, first: number): Promise<unknown> =>
  producer.send({ topic: story.source, messages: tracks("u1", first, 1) });

/** The service keeps running, is not ready and says why, also in its log. */
const expectRefused = async (service: Service, reason: RegExp, expect: ExpectStatic): Promise<void> => {
  await expect
    .poll(() => service.readiness(), patient)
    .toMatchObject({ ok: false, reasons: [expect.stringMatching(reason)] });
  const line = expect.objectContaining({ msg: expect.stringMatching(reason) });
  await expect.poll(() => service.logs, patient).toContainEqual(line);
};

/** Neither the client secret nor a token is in the logs, at level `debug`, or in any response of the service. */
const expectNoSecrets = async (service: Service, expect: ExpectStatic): Promise<void> => {
  const output = JSON.stringify([service.logs, await service.status(), await service.readiness()]) + service.errors();
  const { clientSecret, tokens, asked } = broker.server;
  const headers = asked.map(({ headers: { authorization = "none" } }) => authorization.replace("Basic ", ""));
  for (const secret of [clientSecret, ...headers, ...tokens.map((token) => token.split(".")[2])])
    expect(output).not.toContain(secret);
};

const expectAllOnce = async (story: Story, sent: number, expect: ExpectStatic): Promise<void> => {
  await expect.poll(() => story.standin.ledger().distinct, patient).toBe(sent);
  expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
};

describe.concurrent("a Kafka that requires OAuth tokens", () => {
  /*
   * Events arrive all the time, and some of them wait in a retry topic, while one token after another expires. The
   * service has the next token in time and uses it on its open connections. Nothing is lost or delivered twice.
   */
  journey("is read while several tokens expire", async ({ story, expect }) => {
    await create(story);
    story.standin.faults.add({ kind: "status", status: 500, ratio: 0.05 });
    const service = await story.start(byServer(story));
    const running = traffic(story);
    await sleep(3 * tokenSeconds * 1_000);
    await story.standin.faults.clear();
    await expectAllOnce(story, await running.end(), expect);
    const countLines = (start: string): number => service.logs.filter(({ msg }) => msg.startsWith(start)).length;
    // More logins than connections: most logins happen again on an open connection.
    expect(countLines("Request SaslHandshake")).toBeGreaterThan(countLines("Connecting") + 5);
    await expectNoSecrets(service, expect);
    expect(await service.stop()).toBe(0);
  });

  /*
   * The token server fails under load for longer than a token lives, so the broker closes the connections. The service
   * keeps running, is not ready and says why. When the server works again, the service continues: nothing is lost or
   * delivered twice.
   */
  journey("waits for a token server that fails, and continues", async ({ story, expect }) => {
    await create(story);
    const service = await story.start(byServer(story));
    const running = traffic(story);
    await expect.poll(() => deliveredIds(story).length, patient).toBeGreaterThan(0);
    broker.server.faults.set(pathOf(story), (response) =>
      answerJson(response, 503, { error: "temporarily_unavailable" }),
    );
    await expectRefused(service, /Cannot get a token for Kafka from 127\.0\.0\.1:\d+: got status 503/, expect);
    expect(await service.status()).toMatchObject({ ready: false, missing: expect.stringMatching(/status 503/) });
    broker.server.faults.delete(pathOf(story));
    await expect.poll(() => service.readiness(), patient).toMatchObject({ ok: true });
    await expectAllOnce(story, await running.end(), expect);
    await expectNoSecrets(service, expect);
    expect(await service.stop()).toBe(0);
  });

  /*
   * Each token has another name, like tokens of AWS roles with a new session. Brokers allow no other name on an open
   * connection and close it, under load. The service uses the token on a new connection and stays ready: nothing is
   * lost or delivered twice.
   */
  journey("is read under a name that changes with each token", async ({ story, expect }) => {
    await create(story);
    let names = 0;
    broker.server.faults.set(pathOf(story), (response) => {
      const token = broker.server.token(tokenSeconds, { sub: `session-${names++}` });
      answerJson(response, 200, { access_token: token, expires_in: tokenSeconds });
    });
    const service = await story.start(byServer(story, { KAFKA_COMPRESSION: "gzip" }));
    const running = traffic(story);
    const closed = expect.objectContaining({ error: expect.stringMatching(/Cannot change principals/) });
    await expect.poll(() => service.logs, patient).toContainEqual(closed);
    await sleep(tokenSeconds * 1_000);
    await expectAllOnce(story, await running.end(), expect);
    expect(await service.readiness()).toMatchObject({ ok: true });
    expect(service.logs.filter(({ msg }) => msg.includes("refuses the token"))).toEqual([]);
    expect(await service.stop()).toBe(0);
  });

  /*
   * The mounted token has expired before the service starts, and the broker rejects it. A new token replaces it, and
   * later another, before the first expires. The service uses each of them and delivers the events that arrived
   * meanwhile.
   */
  journey("is read with a token file that is replaced while running", async ({ story, expect }) => {
    await create(story);
    const file = join(await mkdtemp(join(broker.folder, "token-")), "token");
    const put = async (token: string): Promise<void> => {
      await writeFile(`${file}.next`, `${token}\n`);
      await rename(`${file}.next`, file);
    };
    await put(broker.server.token(-1));
    await produce(story, 1);
    const service = await story.launch({
      KAFKA_BROKERS: broker.address,
      KAFKA_SASL_MECHANISM: "oauthbearer",
      KAFKA_SASL_OAUTH_TOKEN_FILE: file,
      LOG_LEVEL: "debug",
    });
    await expectRefused(service, /refuses the token.*KAFKA_SASL_OAUTH_TOKEN_FILE/, expect);
    const refused = (): number => service.logs.filter(({ msg }) => msg.includes("refuses the token")).length;
    for (const [index, n] of [1, 2, 3].entries()) {
      await put(broker.server.token(tokenSeconds));
      await expect.poll(() => deliveredIds(story), patient).toHaveLength(n);
      const before = refused();
      await sleep(tokenSeconds * 700);
      if (index > 0) expect(refused()).toBe(before);
      await produce(story, n + 1);
    }
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2", "u1-3", "u1-4"]);
    await expectNoSecrets(service, expect);
    expect(await service.stop()).toBe(0);
  });

  /* `gainstream send` logs in with the same variables. */
  journey("is written to by hand", async ({ story, expect }) => {
    await create(story);
    const { kafka } = readConfig({ ...byServer(story), GAINSIGHT_ACCESS_KEY: accessKey });
    const sink = await openSink({ kafka, topic: story.source });
    expect(await sink.send([{ key: "u1", value: Buffer.from("{}") }])).toHaveLength(1);
    await sink.close();
  });

  /* Something about the login is wrong. The service names the variable to check and retries instead of ending. */
  const mistakes: [name: string, reason: RegExp, more: Env][] = [
    [
      "a wrong client secret",
      /status 401, invalid_client.*CLIENT_SECRET/,
      { KAFKA_SASL_OAUTH_CLIENT_SECRET: "wrong-Secret" },
    ],
    [
      "no token server",
      /Cannot get a token for Kafka.*ECONNREFUSED/,
      { KAFKA_SASL_OAUTH_TOKEN_URL: "http://127.0.0.1:2/" },
    ],
  ];
  for (const [name, reason, more] of mistakes)
    journey(`is waited for: ${name}`, async ({ story, expect }) => {
      const service = await story.launch(byServer(story, more));
      await expectRefused(service, reason, expect);
      await expectNoSecrets(service, expect);
      expect(JSON.stringify(service.logs)).not.toContain("wrong-Secret");
    });

  /*
   * The token is for another audience. The broker rejects it only after the authentication response, and the service
   * reports that.
   */
  journey("is waited for while it rejects the token", async ({ story, expect }) => {
    broker.server.faults.set(pathOf(story), (response) =>
      answerJson(response, 200, { access_token: broker.server.token(60, { aud: "another" }), expires_in: "60" }),
    );
    const service = await story.launch(byServer(story));
    await expectRefused(service, /The broker refuses the token.*KAFKA_SASL_OAUTH_SCOPE.*\(invalid_token\)/, expect);
    const asked = broker.server.asked.filter(({ path }) => path === pathOf(story)).length;
    expect(asked).toBeLessThan(5);
    await expectNoSecrets(service, expect);
  });
});
