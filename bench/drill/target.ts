import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { createRandom } from "../../local/random.ts";
import { createActiveFaults } from "../../src/standin/active-faults.ts";
import { createCallLog } from "../../src/standin/call-log.ts";
import { createClickstreamHandler } from "../../src/standin/clickstream.ts";
import type { Fault } from "../../src/standin/fault.ts";
import { openListener } from "../../src/standin/listener.ts";
import type { Acceptance } from "./ledger.ts";

/** The stand-in's parts, put together so that it knows which process each call comes from. */
export interface Target {
  /** GAINSIGHT_URL for one process. */
  readonly urlOf: (launch: number) => string;
  /** Calls so far, however they ended. */
  readonly calls: () => number;
  /** Begins a trouble of the whole target, which goes before those of single events. */
  readonly startFault: (fault: Fault) => () => void;
  /** Begins a trouble of single users or events. */
  readonly startUserFault: (fault: Fault) => () => void;
  /** Connections are refused. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly setAccessKey: (accessKey: string) => void;
  /** The share of events that are taken and never answered: the connection is reset. */
  readonly loseAnswers: (ratio: number) => void;
  readonly close: () => Promise<void>;
}

export interface TargetOptions {
  readonly accessKey: string;
  readonly seed: number;
  readonly onAccepted: (id: string, acceptance: Acceptance) => void;
}

/** An answer may lie so long in a buffer before its sender reads it. */
const unreadMs = 250;
const maxAnswered = 1_000;

const usual: Fault = { kind: "latency", ms: 2, jitterMs: 20 };
const timeouts = { keepAliveTimeout: 75_000, requestTimeout: 30_000 };

const createFaults = (random: () => number) => {
  const board = createActiveFaults(random);
  const personal = new Map<Fault, string>();
  const addPersonal = (fault: Fault): void => void personal.set(fault, board.add(fault).id);
  board.add(usual);
  return {
    board,
    begin: (fault: Fault) => {
      const { id } = board.add(fault);
      // The board's first answers, so those of single events have to step back.
      for (const [one, old] of personal) {
        board.clear(old);
        addPersonal(one);
      }
      return () => void board.clear(id);
    },
    beginPersonal: (fault: Fault) => {
      addPersonal(fault);
      return () => {
        board.clear(personal.get(fault));
        personal.delete(fault);
      };
    },
  };
};

/** The newest answers: cut connections take those with them that were written but not yet read. */
const createAnswers = (random: () => number, onAccepted: TargetOptions["onAccepted"]) => {
  const newest: Acceptance[] = [];
  let lostShare = 0;
  return {
    accept: (id: unknown, launch: number, { req, res }: { req: IncomingMessage; res: ServerResponse }): void => {
      const isLost = random() < lostShare;
      const acceptance = { launch, at: Date.now(), isResponseRead: !res.closed && !req.socket.destroyed && !isLost };
      onAccepted(String(id), acceptance);
      newest.push(acceptance);
      if (newest.length > maxAnswered) newest.shift();
      if (isLost) req.socket.resetAndDestroy();
    },
    lose: (ratio: number): void => {
      lostShare = ratio;
    },
    cut: (): void => {
      const since = Date.now() - unreadMs;
      for (const acceptance of newest) if (acceptance.at >= since) acceptance.isResponseRead = false;
    },
  };
};

/** Opens the target on a free port of 127.0.0.1. */
export const createTarget = async ({ seed, onAccepted, ...options }: TargetOptions): Promise<Target> => {
  const random = createRandom(seed).next;
  const { board, begin, beginPersonal } = createFaults(random);
  const calls = createCallLog(Date.now);
  let { accessKey } = options;
  const { accept, cut, lose } = createAnswers(random, onAccepted);
  const server = createServer(timeouts, (req, res) => {
    const launch = Number(/^\/i(\d+)\//.exec(req.url ?? "")?.[1] ?? 0);
    const ledger = {
      accept: (event: Readonly<Record<string, unknown>>) => accept(event["messageId"], launch, { req, res }),
      report: () => ({ distinct: 0, duplicates: 0, inversions: 0, withoutMessageId: 0, messageIds: new Set<string>() }),
      reset: () => {},
    };
    createClickstreamHandler({ faults: board, callLog: calls, ledger, accessKey: () => accessKey })(req, res);
  });
  const door = await openListener({ server, host: "127.0.0.1", port: 0 });
  return {
    urlOf: (launch) => `http://127.0.0.1:${door.port}/i${launch}`,
    calls: () => calls.counts().total,
    startFault: begin,
    startUserFault: beginPersonal,
    pause: () => {
      door.pause();
      cut();
    },
    resume: door.resume,
    setAccessKey: (next) => {
      accessKey = next;
    },
    loseAnswers: lose,
    close: () => {
      board.clear();
      return door.close();
    },
  };
};
