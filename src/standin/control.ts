import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

import type { ActiveFault, ActiveFaults } from "./active-faults.ts";
import { maxRecordedCalls, type CallLog } from "./call-log.ts";
import { parseJson } from "./json.ts";
import type { Ledger } from "./ledger.ts";
import { FaultError, parseFault } from "./parse-fault.ts";
import { readBody } from "./read-body.ts";
import { errorResponse, jsonResponse, sendResponse, textResponse, type StandinResponse } from "./response.ts";
import { routeList } from "./route-list.ts";
import { statsOf } from "./stats.ts";

interface ControlOptions {
  readonly faults: ActiveFaults;
  readonly callLog: CallLog;
  readonly ledger: Ledger;
  /** Called when the response to the request that added the fault has been sent. */
  readonly applyToListener: (added: ActiveFault) => void;
  readonly reset: () => void;
}

/** One request to a control route. */
interface ControlCall {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly query: URLSearchParams;
  /** The part of the path after the route's own path. */
  readonly subPath: string;
}

type Handler = (call: ControlCall) => void;

/** By HTTP method. */
export type Handlers = ReadonlyMap<string, Handler>;

/** By path. A path that ends with a slash matches everything below it. */
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

const faultJson = ({ id, fault, used, endsAt }: ActiveFault) => ({ id, ...fault, used, endsAt });

const readFault = (text: string): ReturnType<typeof parseFault> | StandinResponse => {
  try {
    return parseFault(parseJson(text));
  } catch (error) {
    if (error instanceof FaultError) return errorResponse(400, error.message);
    throw error;
  }
};

const addFault =
  ({ faults: activeFaults, applyToListener }: ControlOptions): Handler =>
  ({ req, res }) =>
    readBody(req, (body) => {
      const fault = readFault(body.kind === "read" ? body.text : "");
      if (!("kind" in fault)) return sendResponse(res, fault);
      const added = activeFaults.add(fault);
      res.once("close", () => applyToListener(added));
      sendResponse(res, jsonResponse(201, faultJson(added)));
    });

const listRequests =
  ({ callLog }: ControlOptions): Handler =>
  ({ res, query }) => {
    const text = query.get("last") ?? "20";
    const limit = /^\d+$/.test(text) ? Number(text) : 0;
    if (limit >= 1 && limit <= maxRecordedCalls) return sendResponse(res, jsonResponse(200, callLog.newest(limit)));
    sendResponse(
      res,
      errorResponse(400, `Cannot use 'last': got '${text}', want a whole number from 1 to ${maxRecordedCalls}`),
    );
  };

const showLedger =
  ({ ledger }: ControlOptions): Handler =>
  ({ res, query }) => {
    const { messageIds, ...counts } = ledger.report();
    if (query.get("ids") !== "true") return sendResponse(res, jsonResponse(200, counts));
    res.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
    Readable.from(linesOf(messageIds)).pipe(res);
  };

const endFault =
  ({ faults: activeFaults }: ControlOptions): Handler =>
  ({ res, subPath }) => {
    const ended = activeFaults.clear(subPath);
    sendResponse(
      res,
      ended > 0
        ? jsonResponse(200, { ended })
        : errorResponse(404, "Cannot end the fault: want the id of an active fault"),
    );
  };

/** The routes that control the stand-in and report the calls. */
export const createControlRoutes = (parts: ControlOptions): Routes => {
  const { faults: activeFaults, callLog, ledger, reset } = parts;
  const showIndex: Handler = ({ res }) => sendResponse(res, textResponse(routeList));
  const listFaults: Handler = ({ res }) => sendResponse(res, jsonResponse(200, activeFaults.list().map(faultJson)));
  const endFaults: Handler = ({ res }) => sendResponse(res, jsonResponse(200, { ended: activeFaults.clear() }));
  const showStats: Handler = ({ res }) => sendResponse(res, jsonResponse(200, statsOf(callLog, ledger)));
  const resetAll: Handler = ({ res }) => {
    reset();
    sendResponse(res, jsonResponse(200, {}));
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
    ["/standin/reset", new Map([["POST", resetAll]])],
  ]);
};
