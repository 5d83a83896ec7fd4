// Turns CustomResourceDefinitions into the strict JSON Schemas that kubeconform reads: node from-crds.mjs CRD.yaml…
import { readFileSync, writeFileSync } from "node:fs";

import { parse } from "yaml";

/** Unknown fields are refused, as the API server warns of them. Words for people are left out. */
const strict = (schema) => {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const kept = Object.entries(schema).filter(([key, value]) => !isLeftOut(key, value));
  const isClosed = typeof schema.properties === "object" && !schema["x-kubernetes-preserve-unknown-fields"];
  return {
    ...(isClosed && { additionalProperties: false }),
    ...(schema["x-kubernetes-int-or-string"] && { type: ["integer", "string"] }),
    ...Object.fromEntries(kept.map(([key, value]) => [key, strict(value)])),
  };
};

const isLeftOut = (key, value) =>
  (key === "description" && typeof value === "string") || key.startsWith("x-kubernetes-");

for (const file of process.argv.slice(2)) {
  const { spec } = parse(readFileSync(file, "utf8"));
  for (const { name, schema } of spec.versions) {
    const { properties, ...rest } = strict(schema.openAPIV3Schema);
    // The CRD leaves the metadata open.
    const whole = { ...rest, properties: { ...properties, metadata: { type: "object" } } };
    writeFileSync(`${spec.names.kind.toLowerCase()}-${name}.json`, `${JSON.stringify(whole)}\n`);
  }
}
