import { createServer } from "node:http";

import { createActiveFaults, type ActiveFault, type ActiveFaults } from "./active-faults.ts";
import { createCallLog, type RecordedCall } from "./call-log.ts";
import { createClickstreamHandler } from "./clickstream.ts";
import { createControlRoutes } from "./control.ts";
import { isRefusingConnections, type Fault } from "./fault.ts";
import { createLedger, type LedgerReport } from "./ledger.ts";
import { openListener, type Listener } from "./listener.ts";
import { parseFault } from "./parse-fault.ts";
import { createRandom } from "./random.ts";
import { createRouter } from "./router.ts";
import { statsOf, type Stats } from "./stats.ts";

export interface StandinOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port, below 32768 if possible. */
  readonly port?: number;
  /** The only access key that is accepted. */
  readonly accessKey: string;
  /** The seed of the random numbers for `ratio` and `jitterMs`; default 1. */
  readonly seed?: number;
}

/** A running HTTP server that behaves like Gainsight, for tests and trials. */
export interface Standin {
  readonly url: string;
  readonly port: number;
  /** Closes every connection and frees the port. */
  readonly close: () => Promise<void>;
  readonly faults: {
    /** Activates a fault at once. Throws a FaultError if it is invalid. */
    readonly add: (fault: Fault) => ActiveFault;
    readonly list: () => readonly ActiveFault[];
    /** Ends one fault, or all. Resolves when connections are accepted again. */
    readonly clear: (id?: string) => Promise<void>;
  };
  readonly stats: () => Stats;
  readonly ledger: () => LedgerReport;
  /** The newest `last` calls (1 to 1,000) in the order they ended. */
  readonly requests: (last: number) => readonly RecordedCall[];
  /** Clears the call log and the ledger, keeps the faults. */
  readonly reset: () => void;
  readonly setAccessKey: (accessKey: string) => void;
}

// Longer than any client keeps an idle connection, so that no request meets a connection that we are just closing.
const timeouts = { keepAliveTimeout: 75_000, requestTimeout: 30_000 };

const createState = (seed: number) => ({
  callLog: createCallLog(Date.now),
  ledger: createLedger(),
  faults: createActiveFaults(createRandom(seed)),
});

/** Pauses the listener while a fault refuses connections. */
const applyToListener = (listener: Listener, faults: ActiveFaults, { id, fault }: ActiveFault): void => {
  if (!isRefusingConnections(fault)) return;
  listener.pause();
  faults.onFaultEnd(id, () => {
    if (!faults.list().some((other) => isRefusingConnections(other.fault))) listener.resume();
  });
};

const createFaultControls = (listener: Listener, faults: ActiveFaults): Standin["faults"] => ({
  add: (fault) => {
    const added = faults.add(parseFault(fault));
    applyToListener(listener, faults, added);
    return added;
  },
  list: faults.list,
  clear: (id) => {
    faults.clear(id);
    return listener.whenResumed();
  },
});

/** Starts the stand-in. Throws the error of `listen`, such as EADDRINUSE. */
export const createStandin = async (options: StandinOptions): Promise<Standin> => {
  const { host = "127.0.0.1", port = 0, seed = 1 } = options;
  const { callLog, ledger, faults } = createState(seed);
  let { accessKey } = options;
  const reset = (): void => {
    callLog.reset();
    ledger.reset();
  };

  const server = createServer(timeouts);
  const listener = await openListener({ server, host, port });
  const clickstream = createClickstreamHandler({ faults, callLog, ledger, accessKey: () => accessKey });
  const control = createControlRoutes({
    faults,
    callLog,
    ledger,
    applyToListener: (added) => applyToListener(listener, faults, added),
    reset,
  });
  server.on("request", createRouter({ clickstream, control, callLog }));

  return {
    url: `http://${host}:${listener.port}`,
    port: listener.port,
    close: () => {
      faults.clear();
      return listener.close();
    },
    faults: createFaultControls(listener, faults),
    stats: () => statsOf(callLog, ledger),
    ledger: ledger.report,
    requests: callLog.newest,
    reset,
    setAccessKey: (next) => {
      accessKey = next;
    },
  };
};
