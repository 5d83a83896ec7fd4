import { type Problem, orText } from "../config-error.ts";
import {
  type EnvironmentDraft,
  bothSet,
  checkRequires,
  checkRequiresSecret,
  checkSecret,
  checkSecretFile,
  neitherSet,
  notEmptyRule,
  notSet,
} from "./check-values.ts";
import type { VariableName } from "./variables.ts";

const passwordNames = ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_PASSWORD_FILE"] as const;
const clientSecretNames = ["KAFKA_SASL_OAUTH_CLIENT_SECRET", "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE"] as const;
const tokenNames = ["KAFKA_SASL_OAUTH_TOKEN_URL", "KAFKA_SASL_OAUTH_TOKEN_FILE"] as const;
/** The variables that only a token server needs. */
const tokenServerNames = ["KAFKA_SASL_OAUTH_CLIENT_ID", ...clientSecretNames, "KAFKA_SASL_OAUTH_SCOPE"] as const;

/** Mechanisms, and the variables that no other mechanism takes. */
const mechanismGroups = [
  { mechanisms: ["plain", "scram-sha-256", "scram-sha-512"], names: ["KAFKA_SASL_USERNAME", ...passwordNames] },
  {
    mechanisms: ["oauthbearer"],
    names: [
      "KAFKA_SASL_OAUTH_TOKEN_URL",
      ...tokenServerNames,
      "KAFKA_SASL_OAUTH_TOKEN_FILE",
      "KAFKA_SASL_OAUTH_EXTENSIONS",
    ],
  },
  { mechanisms: ["aws-msk-iam"], names: ["KAFKA_SASL_AWS_REGION"] },
] as const satisfies readonly { readonly mechanisms: readonly string[]; readonly names: readonly VariableName[] }[];

/** Each SASL mechanism has the variables that it needs, and none of another mechanism. */
export const checkSasl = (draft: EnvironmentDraft): Problem[] => [
  ...checkSecret(draft, passwordNames, notEmptyRule),
  ...checkSecret(draft, clientSecretNames, notEmptyRule),
  ...checkSecretFile(draft, "KAFKA_SASL_OAUTH_TOKEN_FILE", notEmptyRule),
  ...checkOtherMechanisms(draft),
  ...checkRequiredNames(draft),
];

const checkOtherMechanisms = (draft: EnvironmentDraft): Problem[] => {
  const { setNames } = draft;
  const { KAFKA_SASL_MECHANISM: mechanism } = draft.values;
  const all: VariableName[] = mechanismGroups.flatMap(({ names }) => [...names]);
  if (mechanism === undefined) {
    const name = all.find((candidate) => setNames.has(candidate));
    return name === undefined ? [] : checkRequires(draft, name, "KAFKA_SASL_MECHANISM");
  }
  return mechanismGroups
    .filter(({ mechanisms }) => !mechanisms.some((candidate) => candidate === mechanism))
    .flatMap(({ names, mechanisms }) =>
      names
        .filter((name) => setNames.has(name))
        .map((variable) => ({
          variable,
          sentence:
            `${variable} works only with KAFKA_SASL_MECHANISM ${orText(mechanisms.map((name) => `'${name}'`))}, ` +
            `but KAFKA_SASL_MECHANISM is '${mechanism}'`,
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
  const { setNames } = draft;
  const [url, file] = tokenNames;
  if (setNames.has(url) && setNames.has(file)) return [bothSet(tokenNames)];
  if (setNames.has(file)) {
    const unusedNames = tokenServerNames.filter((name) => setNames.has(name));
    return unusedNames.map((variable) => ({
      variable,
      sentence: `${variable} works only with ${url}, but ${file} is set`,
    }));
  }
  if (!setNames.has(url)) return [neitherSet(tokenNames, "KAFKA_SASL_MECHANISM 'oauthbearer' needs one of them")];
  return [
    ...checkRequires(draft, url, "KAFKA_SASL_OAUTH_CLIENT_ID"),
    ...checkRequiresSecret(draft, url, clientSecretNames),
  ];
};

/** Without TLS anyone on the network could read the token and use it. Amazon MSK takes IAM logins with TLS only. */
const checkAwsMskIam = ({ values, setNames }: EnvironmentDraft): Problem[] => {
  const reason = "KAFKA_SASL_MECHANISM 'aws-msk-iam' needs";
  const withoutTls: Problem = {
    variable: "KAFKA_TLS",
    sentence: `KAFKA_TLS is 'false', but ${reason} TLS; set KAFKA_TLS to 'true'`,
  };
  return [
    ...(values.KAFKA_TLS === false ? [withoutTls] : []),
    ...(setNames.has("KAFKA_SASL_AWS_REGION") ? [] : [notSet("KAFKA_SASL_AWS_REGION", `${reason} it`)]),
  ];
};
