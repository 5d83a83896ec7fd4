// The entry of `npm run demo`: plain JavaScript without dependencies, because nothing may be installed yet and the
// machine's own Node may be too old for the rest.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST = 24;
const home = fileURLToPath(new URL("..", import.meta.url));
const ourNode = join(home, "node_modules/.bin/node");
const isRecent = Number(process.versions.node.split(".")[0]) >= OLDEST;

/** npm writes this file last, so it is missing after an interrupted install. */
const isInstalled = existsSync(join(home, "node_modules/.package-lock.json"));

/** Runs a command on this terminal, forwards signals to it and resolves with its exit code. */
const run = (command, args) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: home, stdio: "inherit" });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.once("error", (error) => {
      console.error(`Cannot run ${command}: ${error.message}`);
      resolve(1);
    });
    child.once("exit", (code) => resolve(code ?? 1));
  });

const install = () => {
  console.log("Installing what the demo needs into node_modules (npm ci, once) …");
  const args = ["ci", "--include=optional", "--no-fund", "--no-audit", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  return npm === undefined ? run("npm", args) : run(process.execPath, [npm, ...args]);
};

const startDemo = () => {
  if (isRecent) return import("./demo.ts");
  if (existsSync(ourNode)) return run(ourNode, [join(home, "local/demo.ts"), ...process.argv.slice(2)]);
  console.error(`Cannot run the demo with Node ${process.versions.node}: install Node ${OLDEST} or newer`);
  return 1;
};

const installed = isInstalled ? 0 : await install();
const code = installed === 0 ? await startDemo() : installed;
if (typeof code === "number") process.exitCode = code;
