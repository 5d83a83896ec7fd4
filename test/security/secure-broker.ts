import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type LocalKafka, startKafka } from "../../local/kafka.ts";
import { freePorts } from "../../local/ports.ts";
import { type Authority, type Certificate, createAuthority } from "./certificates.ts";
import { type ScramUser, setScramPassword } from "./scram.ts";

/** The listeners in addition to the plain one, and their protocols. */
const protocols = {
  tls: "SSL",
  mtls: "SSL",
  expired: "SSL",
  misnamed: "SSL",
  sasl: "SASL_PLAINTEXT",
  sasltls: "SASL_SSL",
} as const;

export type Listener = keyof typeof protocols;

const listeners = Object.keys(protocols) as Listener[];
/** Shorter than kafkajs alone can handle. */
const reauthenticateMs = 3_000;

export const plainUser = { mechanism: "plain", username: "paula", password: "plain-Secret-1" } as const;
/** One user per mechanism. */
export const scramUsers = [
  { mechanism: "scram-sha-256", username: "sam", password: "scram-Secret-256" },
  { mechanism: "scram-sha-512", username: "sue", password: "scram-Secret-512" },
] as const;

/** A broker with all listeners, and everything that a client needs to connect. */
export interface SecureBroker {
  /** Gives access by the plain listener. */
  readonly kafka: LocalKafka;
  readonly folder: string;
  readonly addresses: Readonly<Record<Listener, string>>;
  readonly authority: Authority;
  readonly otherAuthority: Authority;
  readonly client: Certificate;
  readonly otherClient: Certificate;
  readonly setPassword: (user: ScramUser) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const keySettings = (name: Listener, { both }: Certificate): Record<string, string> => ({
  [`listener.name.${name}.ssl.keystore.type`]: "PEM",
  [`listener.name.${name}.ssl.keystore.location`]: both,
});

const loginSettings = (name: Listener): Record<string, string> => {
  const { username, password } = plainUser;
  const modules = "org.apache.kafka.common.security";
  return {
    [`listener.name.${name}.plain.sasl.jaas.config`]: `${modules}.plain.PlainLoginModule required user_${username}="${password}";`,
    [`listener.name.${name}.scram-sha-256.sasl.jaas.config`]: `${modules}.scram.ScramLoginModule required;`,
    [`listener.name.${name}.scram-sha-512.sasl.jaas.config`]: `${modules}.scram.ScramLoginModule required;`,
  };
};

const settingsOf = async (authority: Authority): Promise<Record<string, string>> => {
  const good = await authority.sign("broker");
  const expired = await authority.sign("expired", { days: -1 });
  const misnamed = await authority.sign("misnamed", { host: "DNS:kafka.example" });
  const map = listeners.map((name) => `${name.toUpperCase()}:${protocols[name]}`);
  return {
    "listener.security.protocol.map": ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT", ...map].join(","),
    ...keySettings("tls", good),
    ...keySettings("mtls", good),
    ...keySettings("sasltls", good),
    ...keySettings("expired", expired),
    ...keySettings("misnamed", misnamed),
    "listener.name.mtls.ssl.client.auth": "required",
    "listener.name.mtls.ssl.truststore.type": "PEM",
    "listener.name.mtls.ssl.truststore.location": authority.ca,
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "listener.name.sasl.connections.max.reauth.ms": String(reauthenticateMs),
    ...loginSettings("sasl"),
    ...loginSettings("sasltls"),
  };
};

/** Starts a broker with every kind of TLS and SASL, its own certificate authority, and users. */
export const startSecureBroker = async (): Promise<SecureBroker> => {
  const folder = await mkdtemp(join(tmpdir(), "gainstream-secure-"));
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true });
  try {
    const [authority, otherAuthority] = await Promise.all([
      createAuthority(folder, "ours"),
      createAuthority(folder, "other"),
    ]);
    const ports = await freePorts(listeners.length);
    const addresses = Object.fromEntries(listeners.map((name, index) => [name, `127.0.0.1:${ports[index]}`])) as Record<
      Listener,
      string
    >;
    const more = {
      addresses: [listeners.map((name) => `${name.toUpperCase()}://${addresses[name]}`)],
      settings: await settingsOf(authority),
    };
    const kafka = await startKafka({ count: 1, log: () => {}, more });
    const setPassword = (user: ScramUser): Promise<void> => setScramPassword(kafka.brokers, user);
    await Promise.all(scramUsers.map(setPassword));
    const [client, otherClient] = await Promise.all([authority.sign("client"), otherAuthority.sign("client")]);
    const stop = async (): Promise<void> => {
      await kafka.stop();
      await removeFolder();
    };
    return { kafka, folder, addresses, authority, otherAuthority, client, otherClient, setPassword, stop };
  } catch (error) {
    await removeFolder();
    throw error;
  }
};
