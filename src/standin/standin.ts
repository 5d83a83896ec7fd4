import { createServer } from "node:http";

import { createCallLog, type RecordedCall } from "./calls.ts";
import { createClickstreamHandler } from "./clickstream.ts";
import { createControlRoutes } from "./control.ts";
import { openListener, type Listener } from "./door.ts";
import { createActiveFaults, type ActiveFault, type ActiveFaults } from "./fault-board.ts";
import { isRefusingConnections, type Fault } from "./fault.ts";
import { createLedger, type LedgerReport } from "./ledger.ts";
import { parseFault } from "./parse-fault.ts";
import { createRandom } from "./random.ts";
import { statsOf, type Stats } from "./report.ts";
import { createRouter } from "./router.ts";

export interface StandinOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port, below 32768 where there is one. */
  readonly port?: number;
  /** The one key that is accepted. */
  readonly accessKey: string;
  /** Of the random numbers behind `ratio` and `jitterMs`; default 1. */
  readonly seed?: number;
}

/** A running Gainsight to try against. */
export interface Standin {
  readonly url: string;
  readonly port: number;
  /** Ends every connection and frees the port. */
  readonly close: () => Promise<void>;
  readonly faults: {
    /** Switches a fault on, at once. Throws a FaultError where it is wrong. */
    readonly add: (fault: Fault) => ActiveFault;
    readonly list: () => readonly ActiveFault[];
    /** Ends one fault, or all; resolves once connections are taken again. */
    readonly clear: (id?: string) => Promise<void>;
  };
  readonly stats: () => Stats;
  readonly ledger: () => LedgerReport;
  /** The newest `last` calls (1 to 1,000), oldest of them first. */
  readonly requests: (last: number) => readonly RecordedCall[];
  /** Forgets calls and ledger, keeps the faults. */
  readonly reset: () => void;
  readonly setAccessKey: (accessKey: string) => void;
}

// Longer than any client keeps an idle connection: a request must never meet one that we are just closing.
const timeouts = { keepAliveTimeout: 75_000, requestTimeout: 30_000 };

const createState = (seed: number) => ({
  calls: createCallLog(Date.now),
  ledger: createLedger(),
  board: createActiveFaults(createRandom(seed)),
});

/** Keeps the door shut for as long as a fault says so. */
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

/** Starts the stand-in. Throws what listening throws, such as EADDRINUSE. */
export const createStandin = async (options: StandinOptions): Promise<Standin> => {
  const { host = "127.0.0.1", port = 0, seed = 1 } = options;
  const { calls: callLog, ledger, board: faults } = createState(seed);
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
