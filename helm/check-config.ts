// Checks rendered manifests: the service accepts their configuration, the topics Job logs in as the service does, and the API server
// keeps them unchanged.
// check-config.ts RENDERED
import { readFileSync } from "node:fs";

import { parseAllDocuments } from "yaml";

import { readConfig } from "../src/config/env/read-config.ts";

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly containers: readonly [{ readonly env?: readonly { readonly name: string; readonly value?: string }[] }];
  readonly volumes: readonly { readonly name: string; readonly projected?: { readonly sources: readonly unknown[] } }[];
}

const [, , file = ""] = process.argv;
const manifests = parseAllDocuments(readFileSync(file, "utf8")).map((document): Manifest | null => document.toJS());

const dataOf = (ending: string): Manifest["data"] => {
  const found = manifests.find((manifest) => manifest?.kind === "ConfigMap" && manifest.metadata.name.endsWith(ending));
  if (!found) throw new Error(`Cannot find a ConfigMap in ${file}: want a name that ends in ${ending}`);
  return found.data;
};

/** The content of a mounted file; every secret is as long as an access key. */
const readMounted = (path: string): string =>
  path.endsWith("/settings.yaml") ? (dataOf("-settings")["settings.yaml"] ?? "") : "0".repeat(36);

readConfig(dataOf("-env"), readMounted);

const podOf = (kind: string): PodSpec | undefined =>
  manifests.find((manifest) => manifest?.kind === kind)?.spec.template.spec;

/** The variables of the connection and every source that is mounted below `kafka/`, as text. */
const loginOf = (variables: readonly (readonly [string, string | undefined])[], { volumes }: PodSpec): string => {
  const sources = volumes.find(({ name }) => name === "secrets")?.projected?.sources ?? [];
  return JSON.stringify([
    variables
      .map(([name, value]) => `${name}=${value}`)
      .filter((line) => /^KAFKA_(BROKERS|TLS|SASL)/.test(line))
      .toSorted(),
    sources.map((source) => JSON.stringify(source)).filter((source) => source.includes('"kafka/')),
  ]);
};

const job = podOf("Job");
const service = podOf("Deployment");
if (job && service) {
  const ofJob = loginOf(
    (job.containers[0].env ?? []).map(({ name, value }) => [name, value] as const),
    job,
  );
  const ofService = loginOf(Object.entries(dataOf("-env")), service);
  if (ofJob !== ofService)
    throw new Error(`The topics Job does not log in as the service does: got ${ofJob}, want ${ofService}`);
}

// The API server drops empty lists, except that of a projected volume. A tool that compares would always find a difference.
for (const manifest of manifests.filter((found) => found?.kind !== "ConfigMap")) {
  const empty = [...JSON.stringify(manifest).matchAll(/"(\w+)":\[\]/g)]
    .map(([, name]) => `an empty ${name}`)
    .filter((text) => text !== "an empty sources");
  if (empty.length > 0)
    throw new Error(`The API server would change ${manifest?.metadata.name}: got ${empty.join(", ")}, want none`);
}
