import { createRequire } from "node:module";

// Node does not find KafkaJSConnectionError among the named exports of kafkajs.
import kafkajs, { type AuthenticationProviderArgs, type Authenticator, type Mechanism } from "kafkajs";

import { toError } from "../../core/to-error.ts";

export interface PasswordLogin {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: { readonly read: () => string };
}

type ProviderFactory = (login: {
  readonly username: string;
  readonly password: string;
}) => (args: AuthenticationProviderArgs) => Authenticator;

const require = createRequire(import.meta.url);
const providerModules: Readonly<Record<PasswordLogin["mechanism"], string>> = {
  plain: "plain",
  "scram-sha-256": "scram256",
  "scram-sha-512": "scram512",
};

/**
 * A log-in by SASL/PLAIN or SCRAM through kafkajs's own provider. It reads the password for every log-in. If the broker refuses it, it
 * throws a connection error, which kafkajs retries: the password may be right again soon. kafkajs's own error would end the consumer.
 */
export const createPasswordLogin = ({ mechanism, username, password }: PasswordLogin): Mechanism => {
  const provider = require(`kafkajs/src/broker/saslAuthenticator/${providerModules[mechanism]}`) as ProviderFactory;
  const authenticate = async (args: AuthenticationProviderArgs): Promise<void> => {
    try {
      await provider({ username, password: password.read() })(args).authenticate();
    } catch (error) {
      throw new kafkajs.KafkaJSConnectionError(toError(error).message, { broker: `${args.host}:${args.port}` });
    }
  };
  return { mechanism, authenticationProvider: (args) => ({ authenticate: () => authenticate(args) }) };
};
