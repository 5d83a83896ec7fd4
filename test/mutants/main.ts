import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Mutant, mutants } from "./mutants.ts";

const root = join(import.meta.dirname, "..", "..");
const copied = ["src", "test", "schemas", "package.json", "tsconfig.json", "vitest.config.ts"];
const propertyTest = "test/simulation/simulation.test.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs the property test in this folder; true if it passes. */
const passes = async (folder: string): Promise<boolean> => {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", "--project", "unit", "--bail", "1", propertyTest];
  const [code] = (await once(spawn(process.execPath, args, { cwd: folder, stdio: "ignore" }), "exit")) as [number];
  return code === 0;
};

/** Throws unless the text is in the source exactly once: then the source has changed and the list has not. */
const mutate = (source: string, { name, file, find, replace }: Mutant): string => {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(`Cannot make "${name}": found its text ${parts.length - 1} times in ${file}, want once`);
  return parts.join(replace);
};

const isCaught = async (folder: string, mutant: Mutant): Promise<boolean> => {
  const path = join(folder, mutant.file);
  const source = await readFile(path, "utf8");
  await writeFile(path, mutate(source, mutant));
  const isMissed = await passes(folder);
  await writeFile(path, source);
  return !isMissed;
};

const run = async (folder: string): Promise<number> => {
  for (const name of copied) await cp(join(root, name), join(folder, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  if (!(await passes(folder))) throw new Error(`${propertyTest} fails without any fault: fix that first`);
  let missed = 0;
  for (const mutant of mutants) {
    const caught = await isCaught(folder, mutant);
    if (!caught) missed++;
    say(`${caught ? "caught" : "MISSED"}  ${mutant.name}`);
  }
  say(`${mutants.length - missed} of ${mutants.length} hand-made faults were caught`);
  return missed;
};

/* Puts one fault after the other into a copy of the source and checks that the property test fails. */
const folder = await mkdtemp(join(tmpdir(), "gainstream-mutants-"));
try {
  if ((await run(folder)) > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
