// Would the service take the configuration that a chart's manifests give it? check-config.ts RENDERED
import { readFileSync } from "node:fs";

import { parseAllDocuments } from "yaml";

import { readConfig } from "../src/config/read-config.ts";

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}

const [, , file = ""] = process.argv;
const manifests = parseAllDocuments(readFileSync(file, "utf8")).map((document): Manifest | null => document.toJS());

const dataOf = (ending: string): Manifest["data"] => {
  const found = manifests.find((manifest) => manifest?.kind === "ConfigMap" && manifest.metadata.name.endsWith(ending));
  if (!found) throw new Error(`Cannot find a ConfigMap in ${file}: want a name that ends in ${ending}`);
  return found.data;
};

/** What stands in the mounted files; every secret is as long as an access key. */
const readMounted = (path: string): string =>
  path.endsWith("/settings.yaml") ? (dataOf("-settings")["settings.yaml"] ?? "") : "0".repeat(36);

readConfig(dataOf("-env"), readMounted);
