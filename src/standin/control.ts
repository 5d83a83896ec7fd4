import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

import { readBody } from "./body.ts";
import { rememberedCalls, type Calls } from "./calls.ts";
import type { ActiveFault, FaultBoard } from "./fault-board.ts";
import { parseJson } from "./json.ts";
import type { Ledger } from "./ledger.ts";
import { FaultError, parseFault } from "./parse-fault.ts";
import { reportStats } from "./report.ts";
import { routeList } from "./routes.ts";
import { errorAnswer, jsonAnswer, send, textAnswer, type Answer } from "./send.ts";

interface ControlParts {
  readonly board: FaultBoard;
  readonly calls: Calls;
  readonly ledger: Ledger;
  /** Called once the answer to the request that added the fault is out. */
  readonly enforce: (added: ActiveFault) => void;
  readonly reset: () => void;
}

/** One request to a control route; `rest` is what follows the route's path. */
interface ControlCall {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly query: URLSearchParams;
  readonly rest: string;
}

type Handler = (call: ControlCall) => void;

/** By method. */
export type Handlers = ReadonlyMap<string, Handler>;

/** By path; one that ends in a slash is for everything below it. */
export type Routes = ReadonlyMap<string, Handlers>;

const linesPerChunk = 1_000;

function* linesOf(ids: Iterable<string>): Generator<string> {
  let lines: string[] = [];
  for (const id of ids) {
    lines.push(`${id}\n`);
    if (lines.length < linesPerChunk) continue;
    yield lines.join("");
    lines = [];
  }
  if (lines.length > 0) yield lines.join("");
}

const showFault = ({ id, fault, used, endsAt }: ActiveFault) => ({ id, ...fault, used, endsAt });

const readFault = (text: string): ReturnType<typeof parseFault> | Answer => {
  try {
    return parseFault(parseJson(text));
  } catch (error) {
    if (error instanceof FaultError) return errorAnswer(400, error.message);
    throw error;
  }
};

const addFault =
  ({ board, enforce }: ControlParts): Handler =>
  ({ req, res }) =>
    readBody(req, (body) => {
      const fault = readFault(body.kind === "read" ? body.text : "");
      if (!("kind" in fault)) return send(res, fault);
      const added = board.add(fault);
      res.once("close", () => enforce(added));
      send(res, jsonAnswer(201, showFault(added)));
    });

const listRequests =
  ({ calls }: ControlParts): Handler =>
  ({ res, query }) => {
    const given = query.get("last") ?? "20";
    const many = /^\d+$/.test(given) ? Number(given) : 0;
    if (many >= 1 && many <= rememberedCalls) return send(res, jsonAnswer(200, calls.last(many)));
    send(res, errorAnswer(400, `Cannot use 'last': got '${given}', want a whole number from 1 to ${rememberedCalls}`));
  };

const showLedger =
  ({ ledger }: ControlParts): Handler =>
  ({ res, query }) => {
    const { messageIds, ...counts } = ledger.report();
    if (query.get("ids") !== "true") return send(res, jsonAnswer(200, counts));
    res.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
    Readable.from(linesOf(messageIds)).pipe(res);
  };

const endFault =
  ({ board }: ControlParts): Handler =>
  ({ res, rest }) => {
    const ended = board.clear(rest);
    send(res, ended > 0 ? jsonAnswer(200, { ended }) : errorAnswer(404, "Cannot end the fault: want the id of one"));
  };

/** The routes that steer the stand-in and tell what arrived. */
export const createControlRoutes = (parts: ControlParts): Routes => {
  const { board, calls, ledger, reset } = parts;
  const showIndex: Handler = ({ res }) => send(res, textAnswer(routeList));
  const listFaults: Handler = ({ res }) => send(res, jsonAnswer(200, board.list().map(showFault)));
  const endFaults: Handler = ({ res }) => send(res, jsonAnswer(200, { ended: board.clear() }));
  const showStats: Handler = ({ res }) => send(res, jsonAnswer(200, reportStats(calls, ledger)));
  const forget: Handler = ({ res }) => {
    reset();
    send(res, jsonAnswer(200, {}));
  };
  const faults = new Map([
    ["GET", listFaults],
    ["POST", addFault(parts)],
    ["DELETE", endFaults],
  ]);
  return new Map([
    ["/", new Map([["GET", showIndex]])],
    ["/standin/faults", faults],
    ["/standin/faults/", new Map([["DELETE", endFault(parts)]])],
    ["/standin/stats", new Map([["GET", showStats]])],
    ["/standin/requests", new Map([["GET", listRequests(parts)]])],
    ["/standin/ledger", new Map([["GET", showLedger(parts)]])],
    ["/standin/reset", new Map([["POST", forget]])],
  ]);
};
