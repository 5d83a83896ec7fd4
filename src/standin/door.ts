import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** The listening socket, which can be shut and opened again on the same port. */
export interface Listener {
  readonly port: number;
  /** Ends the listening and every connection at once. */
  readonly pause: () => void;
  /** Listens again; waits for as long as something else holds the port. */
  readonly resume: () => void;
  /** Resolves once every reopening so far has been done. */
  readonly whenResumed: () => Promise<void>;
  /** Shuts for good; resolves once every connection has ended. */
  readonly close: () => Promise<void>;
}

interface ListenerOptions {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
}

const relistenPauseMs = 50;
const maxPortsTried = 20;

const isPortTaken = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "EADDRINUSE";

const listen = async ({ server, host, port }: ListenerOptions): Promise<void> => {
  server.listen({ host, port });
  await once(server, "listening");
};

/** False where something else holds the port. */
const tryListen = async (options: ListenerOptions): Promise<boolean> => {
  try {
    await listen(options);
    return true;
  } catch (error) {
    if (isPortTaken(error)) return false;
    throw error;
  }
};

// The system hands out ports from 32768 up to outgoing connections: one from there may be gone when the door reopens.
const listenOnFreePort = async (options: ListenerOptions): Promise<void> => {
  const first = 20_000 + Math.floor(Math.random() * 12_000);
  for (let port = first; port < first + maxPortsTried; port += 1) {
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
export const openListener = async (options: ListenerOptions): Promise<Listener> => {
  const { server, host } = options;
  await (options.port === 0 ? listenOnFreePort(options) : listen(options));
  const port = portOf(server);
  let isListeningWanted = true;
  let resuming = Promise.resolve();

  const pause = (): void => {
    isListeningWanted = false;
    server.close();
    server.closeAllConnections();
  };

  const pauseIfUnwanted = (): void => {
    if (!isListeningWanted) pause();
  };

  const listenAgain = async (): Promise<void> => {
    if (!isListeningWanted || server.listening) return;
    if (!(await tryListen({ server, host, port }))) {
      await delay(relistenPauseMs);
      return listenAgain();
    }
    // It may have been shut while the listening was under way.
    pauseIfUnwanted();
  };

  return {
    port,
    pause,
    resume: () => {
      isListeningWanted = true;
      resuming = resuming.then(listenAgain);
    },
    whenResumed: () => resuming,
    close: async () => {
      pause();
      await resuming;
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
