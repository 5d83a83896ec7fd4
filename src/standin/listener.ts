import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** A listening socket that can be closed and opened again on the same port. */
export interface Listener {
  readonly port: number;
  /** Stops listening and closes every connection at once. */
  readonly pause: () => void;
  /** Listens again; retries while another process uses the port. */
  readonly resume: () => void;
  /** Resolves when every `resume` so far is done. */
  readonly whenResumed: () => Promise<void>;
  /** Stops listening for good; resolves when every connection has ended. */
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

/** False if another process uses the port. */
const tryListen = async (options: ListenerOptions): Promise<boolean> => {
  try {
    await listen(options);
    return true;
  } catch (error) {
    if (isPortTaken(error)) return false;
    throw error;
  }
};

// Linux gives ports from 32768 on to outgoing connections, so that one of those may be in use when the listener resumes.
const listenOnFreePort = async (options: ListenerOptions): Promise<void> => {
  const first = 20_000 + Math.floor(Math.random() * 12_000);
  for (let port = first; port < first + maxPortsTried; port += 1) {
    if (await tryListen({ ...options, port })) return;
  }
  await listen(options);
};

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("Cannot read the port: the server does not listen on one");
  return address.port;
};

/** Starts to listen; port 0 takes any free port. Throws the error of `listen`, such as EADDRINUSE. */
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
    // `pause` may have been called meanwhile.
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
