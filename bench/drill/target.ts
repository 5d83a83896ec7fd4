import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { createRandom } from "../../local/random.ts";
import { createActiveFaults } from "../../src/standin/active-faults.ts";
import { createCallLog } from "../../src/standin/call-log.ts";
import { createClickstreamHandler } from "../../src/standin/clickstream.ts";
import type { Fault } from "../../src/standin/fault.ts";
import { openListener } from "../../src/standin/listener.ts";
import type { Acceptance } from "./ledger.ts";

/** Gainsight for the drill: the stand-in's parts, and it knows which process each call comes from. */
export interface Target {
  /** GAINSIGHT_URL for one process. */
  readonly urlOf: (launch: number) => string;
  /** The number of calls so far, whatever their result. */
  readonly calls: () => number;
  /** Starts a fault of the whole target, which has priority over faults of single users. Returns what ends it. */
  readonly startFault: (fault: Fault) => () => void;
  /** Starts a fault of single users or events. Returns what ends it. */
  readonly startUserFault: (fault: Fault) => () => void;
  /** Refuses connections until `resume`. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly setAccessKey: (accessKey: string) => void;
  /** Accepts this share of the events but resets the connection instead of a response. */
  readonly loseAnswers: (ratio: number) => void;
  readonly close: () => Promise<void>;
}

export interface TargetOptions {
  readonly accessKey: string;
  readonly seed: number;
  readonly onAccepted: (id: string, acceptance: Acceptance) => void;
}

/** How long a response may wait in a buffer before its sender reads it. */
const unreadMs = 250;
const maxResponses = 1_000;

const usualLatency: Fault = { kind: "latency", ms: 2, jitterMs: 20 };
const timeouts = { keepAliveTimeout: 75_000, requestTimeout: 30_000 };

const createFaults = (random: () => number) => {
  const board = createActiveFaults(random);
  const userFaults = new Map<Fault, string>();
  const addUserFault = (fault: Fault): void => void userFaults.set(fault, board.add(fault).id);
  board.add(usualLatency);
  return {
    board,
    begin: (fault: Fault) => {
      const { id } = board.add(fault);
      // The first matching fault decides, so the faults of single users move behind this one.
      for (const [userFault, oldId] of userFaults) {
        board.clear(oldId);
        addUserFault(userFault);
      }
      return () => void board.clear(id);
    },
    beginUserFault: (fault: Fault) => {
      addUserFault(fault);
      return () => {
        board.clear(userFaults.get(fault));
        userFaults.delete(fault);
      };
    },
  };
};

/** The newest acceptances: if connections break, responses that were written but not read are lost. */
const createResponses = (random: () => number, onAccepted: TargetOptions["onAccepted"]) => {
  const newest: Acceptance[] = [];
  let lostShare = 0;
  return {
    accept: (id: unknown, launch: number, { req, res }: { req: IncomingMessage; res: ServerResponse }): void => {
      const isLost = random() < lostShare;
      const acceptance = { launch, at: Date.now(), isResponseRead: !res.closed && !req.socket.destroyed && !isLost };
      onAccepted(String(id), acceptance);
      newest.push(acceptance);
      if (newest.length > maxResponses) newest.shift();
      if (isLost) req.socket.resetAndDestroy();
    },
    lose: (ratio: number): void => {
      lostShare = ratio;
    },
    loseUnread: (): void => {
      const since = Date.now() - unreadMs;
      for (const acceptance of newest) if (acceptance.at >= since) acceptance.isResponseRead = false;
    },
  };
};

/** Opens the target on a free port of 127.0.0.1. */
export const createTarget = async ({ seed, onAccepted, ...options }: TargetOptions): Promise<Target> => {
  const random = createRandom(seed).next;
  const { board, begin, beginUserFault } = createFaults(random);
  const calls = createCallLog(Date.now);
  let { accessKey } = options;
  const { accept, loseUnread, lose } = createResponses(random, onAccepted);
  const server = createServer(timeouts, (req, res) => {
    const launch = Number(/^\/i(\d+)\//.exec(req.url ?? "")?.[1] ?? 0);
    const ledger = {
      accept: (event: Readonly<Record<string, unknown>>) => accept(event["messageId"], launch, { req, res }),
      report: () => ({ distinct: 0, duplicates: 0, inversions: 0, withoutMessageId: 0, messageIds: new Set<string>() }),
      reset: () => {},
    };
    createClickstreamHandler({ faults: board, callLog: calls, ledger, accessKey: () => accessKey })(req, res);
  });
  const listener = await openListener({ server, host: "127.0.0.1", port: 0 });
  return {
    urlOf: (launch) => `http://127.0.0.1:${listener.port}/i${launch}`,
    calls: () => calls.counts().total,
    startFault: begin,
    startUserFault: beginUserFault,
    pause: () => {
      listener.pause();
      loseUnread();
    },
    resume: listener.resume,
    setAccessKey: (next) => {
      accessKey = next;
    },
    loseAnswers: lose,
    close: () => {
      board.clear();
      return listener.close();
    },
  };
};
