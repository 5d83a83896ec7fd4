import type { Problem } from "../config-error.ts";
import { type Draft, checkHasPassword, checkPartner, checkPassword, checkSecretFile, missing } from "./check-values.ts";
import type { VariableName } from "./variables.ts";

const password = ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_PASSWORD_FILE"] as const;
const clientSecret = ["KAFKA_SASL_OAUTH_CLIENT_SECRET", "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE"] as const;
/** What only a token server needs. */
const ofServer = ["KAFKA_SASL_OAUTH_CLIENT_ID", ...clientSecret, "KAFKA_SASL_OAUTH_SCOPE"] as const;

/** What each way to log in has for itself. */
const families = [
  {
    mechanisms: ["plain", "scram-sha-256", "scram-sha-512"],
    inWords: "'plain' or 'scram-sha-256' or 'scram-sha-512'",
    names: ["KAFKA_SASL_USERNAME", ...password],
  },
  {
    mechanisms: ["oauthbearer"],
    inWords: "'oauthbearer'",
    names: ["KAFKA_SASL_OAUTH_TOKEN_URL", ...ofServer, "KAFKA_SASL_OAUTH_TOKEN_FILE", "KAFKA_SASL_OAUTH_EXTENSIONS"],
  },
  { mechanisms: ["aws-msk-iam"], inWords: "'aws-msk-iam'", names: ["KAFKA_SASL_AWS_REGION"] },
] as const satisfies readonly {
  readonly mechanisms: readonly string[];
  readonly inWords: string;
  readonly names: readonly VariableName[];
}[];

/** The log-in to Kafka: each mechanism has what it needs, and nothing of another's. */
export const checkSasl = (draft: Draft): Problem[] => [
  ...checkPassword(draft, password),
  ...checkPassword(draft, clientSecret),
  ...checkSecretFile(draft, "KAFKA_SASL_OAUTH_TOKEN_FILE", notEmpty),
  ...checkForeign(draft),
  ...checkNeeded(draft),
];

const notEmpty = { isGood: (content: string): boolean => content !== "", want: "a file that is not empty" };

const checkForeign = (draft: Draft): Problem[] => {
  const { given } = draft;
  const { KAFKA_SASL_MECHANISM: mechanism } = draft.values;
  const all: VariableName[] = families.flatMap(({ names }) => [...names]);
  if (mechanism === undefined) {
    const needless = all.find((name) => given.has(name));
    return needless === undefined ? [] : checkPartner(draft, needless, "KAFKA_SASL_MECHANISM");
  }
  return families
    .filter(({ mechanisms }) => !mechanisms.some((one) => one === mechanism))
    .flatMap(({ names, inWords }) =>
      names
        .filter((name) => given.has(name))
        .map((variable) => ({
          variable,
          got: `it beside KAFKA_SASL_MECHANISM '${mechanism}'`,
          want: `nothing, or KAFKA_SASL_MECHANISM ${inWords}`,
        })),
    );
};

const checkNeeded = (draft: Draft): Problem[] => {
  switch (draft.values.KAFKA_SASL_MECHANISM) {
    case undefined:
      return [];
    case "oauthbearer":
      return checkOauth(draft);
    case "aws-msk-iam":
      return checkMsk(draft);
    case "plain":
    case "scram-sha-256":
    case "scram-sha-512":
      return [
        ...checkPartner(draft, "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME"),
        ...checkHasPassword(draft, "KAFKA_SASL_MECHANISM", password),
      ];
  }
};

const checkOauth = (draft: Draft): Problem[] => {
  const [url, file] = ["KAFKA_SASL_OAUTH_TOKEN_URL", "KAFKA_SASL_OAUTH_TOKEN_FILE"] as const;
  const { given } = draft;
  const want = `either ${url} or ${file}`;
  if (given.has(url) && given.has(file)) return [{ variable: file, got: `it beside ${url}`, want }];
  if (given.has(file)) {
    const needless = ofServer.filter((name) => given.has(name));
    return needless.map((variable) => ({ variable, got: `it beside ${file}`, want: `nothing, or ${url} instead` }));
  }
  if (!given.has(url)) return [missing(url, `${want}, because KAFKA_SASL_MECHANISM is 'oauthbearer'`)];
  return [...checkPartner(draft, url, "KAFKA_SASL_OAUTH_CLIENT_ID"), ...checkHasPassword(draft, url, clientSecret)];
};

/** Amazon MSK takes IAM log-ins within TLS only, and a token is as good as a password for whoever reads it on the way. */
const checkMsk = (draft: Draft): Problem[] => {
  const isOpen = draft.values.KAFKA_TLS === false;
  const want = "'true', because KAFKA_SASL_MECHANISM is 'aws-msk-iam'";
  return [
    ...(isOpen ? [{ variable: "KAFKA_TLS", got: "'false'", want }] : []),
    ...checkPartner(draft, "KAFKA_SASL_MECHANISM", "KAFKA_SASL_AWS_REGION"),
  ];
};
