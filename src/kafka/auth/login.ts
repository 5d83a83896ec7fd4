import type { Send } from "../../outbound/json-answer.ts";
import { createMskTokens } from "./msk-token.ts";
import { type PasswordLogin, createPasswordLogin } from "./tls.ts";
import { type LoginMechanism, createTokenLogin } from "./token-login.ts";
import { type TokenServer, requestToken } from "./token-request.ts";
import { RenewedTokens, type Token, type Tokens, fileTokens } from "./tokens.ts";

type TokenFile = { readonly kind: "file"; readonly token: { readonly read: () => string } };

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
  /** How token servers are reached, if not directly. */
  readonly fetch?: Send | undefined;
}

type OauthLogin = Extract<Login, { readonly mechanism: "oauthbearer" }>;

const fromServer =
  "want one that it trusts, by KAFKA_SASL_OAUTH_SCOPE and what the token server knows of KAFKA_SASL_OAUTH_CLIENT_ID";
const fromFile = "want one that it trusts in KAFKA_SASL_OAUTH_TOKEN_FILE";
const fromAws =
  "want AWS credentials that may do kafka-cluster:Connect, the cluster's own KAFKA_SASL_AWS_REGION, and a clock that is right";

/** One for all clients of a cluster, so that they share a token. */
export const createLogin = ({ sasl, ...options }: LoginOptions): LoginMechanism | undefined => {
  switch (sasl?.mechanism) {
    case undefined:
      return undefined;
    case "oauthbearer":
      return createOauthLogin(sasl, options);
    case "aws-msk-iam":
      return createTokenLogin({ tokens: renewed(createMskTokens(sasl.region), options.warn), hint: fromAws });
    case "plain":
    case "scram-sha-256":
    case "scram-sha-512":
      return createPasswordLogin(sasl);
  }
};

const createOauthLogin = (
  { tokens: from, extensions }: OauthLogin,
  { warn, fetch }: Omit<LoginOptions, "sasl">,
): LoginMechanism => {
  if (from.kind === "file")
    return createTokenLogin({ tokens: fileTokens(from.token.read), extensions, hint: fromFile });
  const tokens = renewed(() => requestToken({ ...from, fetch }), warn);
  return createTokenLogin({ tokens, extensions, hint: fromServer });
};

const renewed = (ask: () => Promise<Token>, warn: LoginOptions["warn"]): Tokens =>
  new RenewedTokens({ ask, warn, now: () => performance.now(), random: () => Math.random() });
