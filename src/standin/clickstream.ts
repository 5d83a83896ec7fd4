import type { IncomingMessage, ServerResponse } from "node:http";

import type { ActiveFaults, FaultPlan } from "./active-faults.ts";
import { applyFault, respond, sendSpoiledBody, type CallExchange } from "./apply-fault.ts";
import type { CallLog, CallStatus } from "./call-log.ts";
import { refuseCall, type ReceivedCall } from "./check-call.ts";
import { isSpoiling } from "./fault.ts";
import { isWireObject, parseJson, type WireObject } from "./json.ts";
import type { Ledger } from "./ledger.ts";
import { readBody } from "./read-body.ts";
import { createFixedResponse, jsonResponse } from "./response.ts";

export const clickstreamPath = "/clickstream/segmentio/event";

interface ClickstreamHandlerOptions {
  readonly faults: ActiveFaults;
  readonly callLog: CallLog;
  readonly ledger: Ledger;
  readonly accessKey: () => string;
}

const sendAccepted = createFixedResponse(jsonResponse(200, {}));

/** Handles `POST /clickstream/segmentio/event` as Gainsight would, or as an active fault says. */
export const createClickstreamHandler = ({ faults, callLog, ledger, accessKey }: ClickstreamHandlerOptions) => {
  const accept = (event: WireObject): void => {
    ledger.accept(event);
    callLog.recordDelivered();
  };

  const finish = (exchange: CallExchange, call: ReceivedCall, answeredBy: FaultPlan["answeredBy"]): void => {
    if (answeredBy && !isSpoiling(answeredBy.fault)) return applyFault(exchange, answeredBy.id, answeredBy.fault);
    const refusal = refuseCall(call, accessKey());
    if (refusal) return respond(exchange, refusal);
    if (isWireObject(call.body)) accept(call.body);
    if (answeredBy && isSpoiling(answeredBy.fault)) return sendSpoiledBody(exchange, answeredBy.fault);
    exchange.recordStatus(200);
    sendAccepted(exchange.res);
  };

  return function clickstream(req: IncomingMessage, res: ServerResponse): void {
    readBody(req, (received) => {
      const body = received.kind === "read" ? parseJson(received.text) : undefined;
      const event = isWireObject(body) ? body : undefined;
      const { delayMs, answeredBy } = faults.useFor(event);
      const recordStatus = (status: CallStatus): void => callLog.record(status, event);
      const exchange: CallExchange = { req, res, recordStatus, onFaultEnd: faults.onFaultEnd };
      const call = { headers: req.headers, isTooLarge: received.kind === "too_large", body };
      // An event whose sender disconnected meanwhile is accepted all the same, as a slow server would do.
      if (delayMs > 0) setTimeout(() => finish(exchange, call, answeredBy), delayMs).unref();
      else finish(exchange, call, answeredBy);
    });
  };
};
