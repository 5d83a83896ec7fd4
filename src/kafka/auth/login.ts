import type { SendRequest } from "../../outbound/json-response.ts";
import { createMskTokens } from "./msk-token.ts";
import { type PasswordLogin, createPasswordLogin } from "./password-login.ts";
import { type LoginMechanism, createTokenLogin } from "./token-login.ts";
import { type TokenServer, requestToken } from "./token-request.ts";
import { RenewedTokens, type Token, type Tokens, fileTokens } from "./tokens.ts";

type TokenFile = { readonly kind: "file"; readonly token: { readonly read: () => string } };

/** How the service logs in to Kafka. */
export type Login =
  | PasswordLogin
  | {
      readonly mechanism: "oauthbearer";
      readonly tokens: TokenFile | ({ readonly kind: "client-credentials" } & TokenServer);
      readonly extensions?: Readonly<Record<string, string>> | undefined;
    }
  | { readonly mechanism: "aws-msk-iam"; readonly region: string };

export interface LoginOptions {
  readonly sasl: Login | undefined;
  readonly warn: (sentence: string) => void;
  /** Sends requests to a token server, as through a proxy. Default: Node's fetch. */
  readonly fetch?: SendRequest | undefined;
}

type OauthLogin = Extract<Login, { readonly mechanism: "oauthbearer" }>;

const tokenServerHint =
  "check KAFKA_SASL_OAUTH_SCOPE, and the rights of the client KAFKA_SASL_OAUTH_CLIENT_ID at the token server";
const tokenFileHint = "put a token that it trusts into KAFKA_SASL_OAUTH_TOKEN_FILE";
const mskHint =
  "check that the AWS credentials allow kafka-cluster:Connect, that KAFKA_SASL_AWS_REGION is the cluster's region, and that this machine's clock is right";

/** Creates the log-in for all clients of a cluster, which share one token. Undefined if the service does not log in. */
export const createLogin = ({ sasl, ...options }: LoginOptions): LoginMechanism | undefined => {
  switch (sasl?.mechanism) {
    case undefined:
      return undefined;
    case "oauthbearer":
      return createOauthLogin(sasl, options);
    case "aws-msk-iam":
      return createTokenLogin({
        tokens: createRenewedTokens(createMskTokens(sasl.region), options.warn),
        hint: mskHint,
      });
    case "plain":
    case "scram-sha-256":
    case "scram-sha-512":
      return createPasswordLogin(sasl);
  }
};

const createOauthLogin = (
  { tokens: tokenSource, extensions }: OauthLogin,
  { warn, fetch }: Omit<LoginOptions, "sasl">,
): LoginMechanism => {
  if (tokenSource.kind === "file")
    return createTokenLogin({ tokens: fileTokens(tokenSource.token.read), extensions, hint: tokenFileHint });
  const tokens = createRenewedTokens(() => requestToken({ ...tokenSource, fetch }), warn);
  return createTokenLogin({ tokens, extensions, hint: tokenServerHint });
};

const createRenewedTokens = (requestNewToken: () => Promise<Token>, warn: LoginOptions["warn"]): Tokens =>
  new RenewedTokens({
    requestToken: requestNewToken,
    warn,
    monotonicNow: () => performance.now(),
    random: () => Math.random(),
  });
