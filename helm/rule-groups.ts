// The rules of a PrometheusRule as promtool takes them: rule-groups.ts RENDERED
import { readFileSync } from "node:fs";

import { parse, stringify } from "yaml";

const [, , file = ""] = process.argv;
const { spec } = parse(readFileSync(file, "utf8"));
process.stdout.write(stringify({ groups: spec.groups }));
