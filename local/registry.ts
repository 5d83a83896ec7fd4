import { join } from "node:path";

import { registryPackage } from "./packages.ts";
import type { Log } from "./packages.ts";
import { freePorts, retryTakenPort } from "./ports.ts";
import { createProcessGuard } from "./process-guard.ts";
import { createServer } from "./server.ts";
import type { Server } from "./server.ts";

export interface LocalRegistry {
  /** In the format of SCHEMA_REGISTRY_URL, with the path of the Confluent-compatible API. */
  readonly url: string;
  /** Stops and starts the registry, which keeps its port and its schemas. */
  readonly server: Server;
  stop(): Promise<void>;
}

/** Starts a schema registry without Kafka. */
export async function startRegistry({ log = console.error }: { log?: Log } = {}): Promise<LocalRegistry> {
  const home = await registryPackage(log);
  return retryTakenPort(async () => {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
    const guard = await createProcessGuard();
    const server = createServer({
      guard,
      name: "registry",
      args: registryArgs({ port, home, folder: guard.folder }),
      check: () => checkRegistry(url),
    });
    try {
      await server.start();
    } catch (error) {
      await guard.end();
      throw error;
    }
    return { url, server, stop: () => guard.end() };
  });
}

/** Keeps the schemas in a file: they and their ids must survive a restart, as in production. */
function registryArgs({ port, home, folder }: { port: number; home: string; folder: string }): string[] {
  const settings = {
    "quarkus.http.host": "127.0.0.1",
    "quarkus.http.port": port,
    "quarkus.http.access-log.enabled": false,
    "quarkus.log.level": "WARN",
    "apicurio.datasource.url": `jdbc:h2:file:${join(folder, "schemas")}`,
  };
  const properties = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  return [...properties, "-jar", join(home, "apicurio-registry-app-3.0.9-runner.jar")];
}

async function checkRegistry(url: string): Promise<void> {
  const { status } = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(5000) });
  if (status !== 200) throw new Error(`The registry answers ${status}, want 200`);
}
