import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** The listening socket, which can be shut and opened again on the same port. */
export interface Door {
  readonly port: number;
  /** Ends the listening and every connection at once. */
  readonly shut: () => void;
  /** Listens again; waits for as long as something else holds the port. */
  readonly reopen: () => void;
  /** Resolves once every reopening so far has been done. */
  readonly settled: () => Promise<void>;
  /** Shuts for good; resolves once every connection has ended. */
  readonly close: () => Promise<void>;
}

interface DoorOptions {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
}

const reopenPauseMs = 50;
const portsTried = 20;

const isPortTaken = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "EADDRINUSE";

const listen = async ({ server, host, port }: DoorOptions): Promise<void> => {
  server.listen({ host, port });
  await once(server, "listening");
};

/** False where something else holds the port. */
const tryListen = async (options: DoorOptions): Promise<boolean> => {
  try {
    await listen(options);
    return true;
  } catch (error) {
    if (isPortTaken(error)) return false;
    throw error;
  }
};

// The system hands out ports from 32768 up to outgoing connections: one from there may be gone when the door reopens.
const listenAnywhere = async (options: DoorOptions): Promise<void> => {
  const first = 20_000 + Math.floor(Math.random() * 12_000);
  for (let port = first; port < first + portsTried; port += 1) {
    if (await tryListen({ ...options, port })) return;
  }
  await listen(options);
};

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Cannot tell the port: the server has none");
  return address.port;
};

/** Opens the door; port 0 is any free one. Throws what listening throws, such as EADDRINUSE. */
export const openDoor = async (options: DoorOptions): Promise<Door> => {
  const { server, host } = options;
  await (options.port === 0 ? listenAnywhere(options) : listen(options));
  const port = portOf(server);
  let isWanted = true;
  let opening = Promise.resolve();

  const shut = (): void => {
    isWanted = false;
    server.close();
    server.closeAllConnections();
  };

  const shutIfUnwanted = (): void => {
    if (!isWanted) shut();
  };

  const openAgain = async (): Promise<void> => {
    if (!isWanted || server.listening) return;
    if (!(await tryListen({ server, host, port }))) {
      await delay(reopenPauseMs);
      return openAgain();
    }
    // It may have been shut while the listening was under way.
    shutIfUnwanted();
  };

  return {
    port,
    shut,
    reopen: () => {
      isWanted = true;
      opening = opening.then(openAgain);
    },
    settled: () => opening,
    close: async () => {
      shut();
      await opening;
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
