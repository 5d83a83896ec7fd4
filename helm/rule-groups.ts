// The PromQL of rendered manifests for promtool: the alerts, and the query of KEDA as the record `held`. rule-groups.ts RENDERED
import { readFileSync } from "node:fs";

import { parseAllDocuments, stringify } from "yaml";

interface Manifest {
  readonly kind: string;
  readonly spec: {
    readonly groups?: readonly unknown[];
    readonly triggers?: readonly { readonly name: string; readonly metadata: { readonly query: string } }[];
  };
}

const [, , file = ""] = process.argv;
const manifests = parseAllDocuments(readFileSync(file, "utf8")).map((document): Manifest | null => document.toJS());
const specOf = (kind: string): Manifest["spec"] => {
  const found = manifests.find((manifest) => manifest?.kind === kind);
  if (!found) throw new Error(`Cannot find the rules in ${file}: got no ${kind}, want one`);
  return found.spec;
};

const held = specOf("ScaledObject").triggers?.find(({ name }) => name === "held");
const rules = [{ record: "held", expr: held?.metadata.query }];
const groups = [...(specOf("PrometheusRule").groups ?? []), { name: "held", rules }];
process.stdout.write(stringify({ groups }));
