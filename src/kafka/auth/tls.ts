import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type ConnectionOptions, type SecureContext, createSecureContext } from "node:tls";

// Node does not see the error among the named exports of kafkajs.
import kafkajs, { type AuthenticationProviderArgs, type Authenticator, type Mechanism } from "kafkajs";

/** Paths of PEM files. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface PasswordLogin {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: { readonly read: () => string };
}

const readPem = (variable: string, path: string | undefined): string | undefined => {
  if (path === undefined) return undefined;
  const text = readFileSync(path, "utf8");
  // To Node, an empty authority means all those of the system.
  if (!text.includes("-----BEGIN ")) throw new Error(`Cannot use ${variable}: got '${path}' without PEM in it`);
  return text;
};

const createContext = ({ caFile, certFile, keyFile }: TlsFiles): SecureContext => {
  const ca = readPem("KAFKA_TLS_CA_FILE", caFile);
  const cert = readPem("KAFKA_TLS_CERT_FILE", certFile);
  const key = readPem("KAFKA_TLS_KEY_FILE", keyFile);
  try {
    return createSecureContext({ ca, cert, key });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot use KAFKA_TLS_CERT_FILE with KAFKA_TLS_KEY_FILE: ${why}`, { cause: error });
  }
};

/**
 * Options for `tls.connect` whose files are read anew for every connection. Where they cannot be used just then, as while they
 * are being replaced, the last good ones stay and `onUnusable` is told why; reading the options throws where there are none yet.
 */
export const createTls = (files: TlsFiles, onUnusable: (why: string) => void): ConnectionOptions => {
  let last: SecureContext | undefined;
  return {
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    get secureContext() {
      try {
        last = createContext(files);
      } catch (error) {
        if (!last) throw error;
        onUnusable(error instanceof Error ? error.message : String(error));
      }
      return last;
    },
  };
};

type Provider = (login: {
  readonly username: string;
  readonly password: string;
}) => (args: AuthenticationProviderArgs) => Authenticator;

const require = createRequire(import.meta.url);
const providers: Readonly<Record<PasswordLogin["mechanism"], string>> = {
  plain: "plain",
  "scram-sha-256": "scram256",
  "scram-sha-512": "scram512",
};

/**
 * kafkajs's own log-in, with a password that is read anew every time. To kafkajs a refused log-in is the end of a consumer;
 * here it is a failed connection, which is tried again: the password may be right again in a moment.
 */
export const createPasswordLogin = ({ mechanism, username, password }: PasswordLogin): Mechanism => {
  const provider = require(`kafkajs/src/broker/saslAuthenticator/${providers[mechanism]}`) as Provider;
  const authenticate = async (args: AuthenticationProviderArgs): Promise<void> => {
    try {
      await provider({ username, password: password.read() })(args).authenticate();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new kafkajs.KafkaJSConnectionError(why, { broker: `${args.host}:${args.port}` });
    }
  };
  return { mechanism, authenticationProvider: (args) => ({ authenticate: () => authenticate(args) }) };
};
