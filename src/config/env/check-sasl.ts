import type { Problem } from "../config-error.ts";
import {
  type EnvironmentDraft,
  checkRequiresSecret,
  checkRequires,
  checkSecretNotEmpty,
  checkSecretFile,
  missingProblem,
} from "./check-values.ts";
import type { VariableName } from "./variables.ts";

const passwordNames = ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_PASSWORD_FILE"] as const;
const clientSecretNames = ["KAFKA_SASL_OAUTH_CLIENT_SECRET", "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE"] as const;
/** What only a token server needs. */
const tokenServerNames = ["KAFKA_SASL_OAUTH_CLIENT_ID", ...clientSecretNames, "KAFKA_SASL_OAUTH_SCOPE"] as const;

/** What each way to log in has for itself. */
const mechanismGroups = [
  {
    mechanisms: ["plain", "scram-sha-256", "scram-sha-512"],
    inWords: "'plain' or 'scram-sha-256' or 'scram-sha-512'",
    names: ["KAFKA_SASL_USERNAME", ...passwordNames],
  },
  {
    mechanisms: ["oauthbearer"],
    inWords: "'oauthbearer'",
    names: [
      "KAFKA_SASL_OAUTH_TOKEN_URL",
      ...tokenServerNames,
      "KAFKA_SASL_OAUTH_TOKEN_FILE",
      "KAFKA_SASL_OAUTH_EXTENSIONS",
    ],
  },
  { mechanisms: ["aws-msk-iam"], inWords: "'aws-msk-iam'", names: ["KAFKA_SASL_AWS_REGION"] },
] as const satisfies readonly {
  readonly mechanisms: readonly string[];
  readonly inWords: string;
  readonly names: readonly VariableName[];
}[];

/** The log-in to Kafka: each mechanism has what it needs, and nothing of another's. */
export const checkSasl = (draft: EnvironmentDraft): Problem[] => [
  ...checkSecretNotEmpty(draft, passwordNames),
  ...checkSecretNotEmpty(draft, clientSecretNames),
  ...checkSecretFile(draft, "KAFKA_SASL_OAUTH_TOKEN_FILE", notEmptyRule),
  ...checkOtherMechanisms(draft),
  ...checkRequiredNames(draft),
];

const notEmptyRule = { isValid: (content: string): boolean => content !== "", want: "a file that is not empty" };

const checkOtherMechanisms = (draft: EnvironmentDraft): Problem[] => {
  const { setNames } = draft;
  const { KAFKA_SASL_MECHANISM: mechanism } = draft.values;
  const all: VariableName[] = mechanismGroups.flatMap(({ names }) => [...names]);
  if (mechanism === undefined) {
    const unneeded = all.find((name) => setNames.has(name));
    return unneeded === undefined ? [] : checkRequires(draft, unneeded, "KAFKA_SASL_MECHANISM");
  }
  return mechanismGroups
    .filter(({ mechanisms }) => !mechanisms.some((candidate) => candidate === mechanism))
    .flatMap(({ names, inWords }) =>
      names
        .filter((name) => setNames.has(name))
        .map((variable) => ({
          variable,
          got: `it beside KAFKA_SASL_MECHANISM '${mechanism}'`,
          want: `nothing, or KAFKA_SASL_MECHANISM ${inWords}`,
        })),
    );
};

const checkRequiredNames = (draft: EnvironmentDraft): Problem[] => {
  switch (draft.values.KAFKA_SASL_MECHANISM) {
    case undefined:
      return [];
    case "oauthbearer":
      return checkOauth(draft);
    case "aws-msk-iam":
      return checkAwsMskIam(draft);
    case "plain":
    case "scram-sha-256":
    case "scram-sha-512":
      return [
        ...checkRequires(draft, "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME"),
        ...checkRequiresSecret(draft, "KAFKA_SASL_MECHANISM", passwordNames),
      ];
  }
};

const checkOauth = (draft: EnvironmentDraft): Problem[] => {
  const [url, file] = ["KAFKA_SASL_OAUTH_TOKEN_URL", "KAFKA_SASL_OAUTH_TOKEN_FILE"] as const;
  const { setNames } = draft;
  const want = `either ${url} or ${file}`;
  if (setNames.has(url) && setNames.has(file)) return [{ variable: file, got: `it beside ${url}`, want }];
  if (setNames.has(file)) {
    const unneeded = tokenServerNames.filter((name) => setNames.has(name));
    return unneeded.map((variable) => ({ variable, got: `it beside ${file}`, want: `nothing, or ${url} instead` }));
  }
  if (!setNames.has(url)) return [missingProblem(url, `${want}, because KAFKA_SASL_MECHANISM is 'oauthbearer'`)];
  return [
    ...checkRequires(draft, url, "KAFKA_SASL_OAUTH_CLIENT_ID"),
    ...checkRequiresSecret(draft, url, clientSecretNames),
  ];
};

/** Amazon MSK takes IAM log-ins within TLS only, and a token is as good as a password for whoever reads it on the way. */
const checkAwsMskIam = (draft: EnvironmentDraft): Problem[] => {
  const isUnencrypted = draft.values.KAFKA_TLS === false;
  const want = "'true', because KAFKA_SASL_MECHANISM is 'aws-msk-iam'";
  return [
    ...(isUnencrypted ? [{ variable: "KAFKA_TLS", got: "'false'", want }] : []),
    ...checkRequires(draft, "KAFKA_SASL_MECHANISM", "KAFKA_SASL_AWS_REGION"),
  ];
};
