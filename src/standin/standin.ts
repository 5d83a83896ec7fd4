import { createServer } from "node:http";

import { createCalls, type RecordedCall } from "./calls.ts";
import { createClickstream } from "./clickstream.ts";
import { createControlRoutes } from "./control.ts";
import { openDoor, type Door } from "./door.ts";
import { createFaultBoard, type ActiveFault, type FaultBoard } from "./fault-board.ts";
import { isRefuse, type Fault } from "./fault.ts";
import { createLedger, type LedgerReport } from "./ledger.ts";
import { parseFault } from "./parse-fault.ts";
import { createRandom } from "./random.ts";
import { reportStats, type Stats } from "./report.ts";
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

const createMemory = (seed: number) => ({
  calls: createCalls(Date.now),
  ledger: createLedger(),
  board: createFaultBoard(createRandom(seed)),
});

/** Keeps the door shut for as long as a fault says so. */
const enforce = (door: Door, board: FaultBoard, { id, fault }: ActiveFault): void => {
  if (!isRefuse(fault)) return;
  door.shut();
  board.whenEnded(id, () => {
    if (!board.list().some((other) => isRefuse(other.fault))) door.reopen();
  });
};

const steerFaults = (door: Door, board: FaultBoard): Standin["faults"] => ({
  add: (fault) => {
    const added = board.add(parseFault(fault));
    enforce(door, board, added);
    return added;
  },
  list: board.list,
  clear: (id) => {
    board.clear(id);
    return door.settled();
  },
});

/** Starts the stand-in. Throws what listening throws, such as EADDRINUSE. */
export const createStandin = async (options: StandinOptions): Promise<Standin> => {
  const { host = "127.0.0.1", port = 0, seed = 1 } = options;
  const { calls, ledger, board } = createMemory(seed);
  let { accessKey } = options;
  const reset = (): void => {
    calls.reset();
    ledger.reset();
  };

  const server = createServer(timeouts);
  const door = await openDoor({ server, host, port });
  const clickstream = createClickstream({ board, calls, ledger, accessKey: () => accessKey });
  const control = createControlRoutes({ board, calls, ledger, enforce: (added) => enforce(door, board, added), reset });
  server.on("request", createRouter({ clickstream, control, calls }));

  return {
    url: `http://${host}:${door.port}`,
    port: door.port,
    close: () => {
      board.clear();
      return door.close();
    },
    faults: steerFaults(door, board),
    stats: () => reportStats(calls, ledger),
    ledger: ledger.report,
    requests: calls.last,
    reset,
    setAccessKey: (next) => {
      accessKey = next;
    },
  };
};
