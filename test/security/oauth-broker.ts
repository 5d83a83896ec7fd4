import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { type LocalKafka, startKafka } from "../../local/kafka.ts";
import { freePorts } from "../../local/ports.ts";
import { type TokenServer, audience, issuer, startTokenServer } from "./token-server.ts";

/** A broker that accepts tokens of a token server, and that server. */
export interface OauthBroker {
  /** Gives access by the plain listener. */
  readonly kafka: LocalKafka;
  /** The address of the listener that requires a token. */
  readonly address: string;
  readonly folder: string;
  readonly server: TokenServer;
  readonly stop: () => Promise<void>;
}

const security = "org.apache.kafka.common.security.oauthbearer";

const settingsOf = (jwksUrl: string): Record<string, string> => {
  const listener = "listener.name.oauth.oauthbearer";
  return {
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OAUTH:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": "OAUTHBEARER",
    [`${listener}.sasl.jaas.config`]: `${security}.OAuthBearerLoginModule required;`,
    [`${listener}.sasl.server.callback.handler.class`]: `${security}.OAuthBearerValidatorCallbackHandler`,
    // The broker closes connections whose token has expired.
    [`${listener}.connections.max.reauth.ms`]: "3600000",
    // By default Kafka 4.1 checks neither the signature nor the expiry.
    "sasl.oauthbearer.jwt.validator.class": `${security}.BrokerJwtValidator`,
    "sasl.oauthbearer.jwks.endpoint.url": jwksUrl,
    "sasl.oauthbearer.expected.audience": audience,
    // Kafka 4.4 does not start without this.
    "sasl.oauthbearer.expected.issuer": issuer,
    "sasl.oauthbearer.clock.skew.seconds": "0",
  };
};

/** Starts both. Tokens expire after this many seconds. */
export const startOauthBroker = async (seconds: number): Promise<OauthBroker> => {
  const folder = await mkdtemp(join(tmpdir(), "gainstream-oauth-"));
  const server = await startTokenServer(seconds);
  const end = async (): Promise<void> => {
    await server.close();
    await rm(folder, { recursive: true });
  };
  try {
    const jwks = join(folder, "jwks.json");
    await writeFile(jwks, server.jwks);
    const { href } = pathToFileURL(jwks);
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const more = {
      addresses: [[`OAUTH://${address}`]],
      settings: settingsOf(href),
      java: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${href}`],
    };
    const kafka = await startKafka({ count: 1, log: () => {}, more });
    const stop = async (): Promise<void> => {
      await kafka.stop();
      await end();
    };
    return { kafka, address, folder, server, stop };
  } catch (error) {
    await end();
    throw error;
  }
};
