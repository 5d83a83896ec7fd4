import type { IncomingMessage, ServerResponse } from "node:http";

import { answer, refuseByFault, spoilAnswer, type Exchange } from "./apply-fault.ts";
import { readBody } from "./body.ts";
import type { Calls, CallStatus } from "./calls.ts";
import { refuseCall, type ArrivedCall } from "./check-call.ts";
import type { FaultBoard, FaultPlan } from "./fault-board.ts";
import { isSpoiling } from "./fault.ts";
import { isWireObject, parseJson, type WireObject } from "./json.ts";
import type { Ledger } from "./ledger.ts";
import { createSend, jsonAnswer } from "./send.ts";

export const clickstreamPath = "/clickstream/segmentio/event";

interface ClickstreamParts {
  readonly board: FaultBoard;
  readonly calls: Calls;
  readonly ledger: Ledger;
  readonly accessKey: () => string;
}

const sendAccepted = createSend(jsonAnswer(200, {}));

/** Answers `POST /clickstream/segmentio/event` as Gainsight would, or as the faults want it. */
export const createClickstream = ({ board, calls, ledger, accessKey }: ClickstreamParts) => {
  const take = (event: WireObject): void => {
    ledger.accept(event);
    calls.noteDelivered();
  };

  const finish = (exchange: Exchange, call: ArrivedCall, taker: FaultPlan["taker"]): void => {
    if (taker && !isSpoiling(taker.fault)) return refuseByFault(exchange, taker.id, taker.fault);
    const refusal = refuseCall(call, accessKey());
    if (refusal) return answer(exchange, refusal);
    if (isWireObject(call.body)) take(call.body);
    if (taker && isSpoiling(taker.fault)) return spoilAnswer(exchange, taker.fault);
    exchange.note(200);
    sendAccepted(exchange.res);
  };

  return function clickstream(req: IncomingMessage, res: ServerResponse): void {
    readBody(req, (read) => {
      const body = read.kind === "read" ? parseJson(read.text) : undefined;
      const event = isWireObject(body) ? body : undefined;
      const { delayMs, taker } = board.plan(event);
      const note = (status: CallStatus): void => calls.note(status, event);
      const exchange: Exchange = { req, res, note, whenEnded: board.whenEnded };
      const call = { headers: req.headers, isTooLarge: read.kind === "too_large", body };
      // An event whose sender gave up meanwhile is taken all the same, as a slow server would.
      if (delayMs > 0) setTimeout(() => finish(exchange, call, taker), delayMs).unref();
      else finish(exchange, call, taker);
    });
  };
};
