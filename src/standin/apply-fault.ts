import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

import type { CallStatus } from "./call-log.ts";
import { unauthorized } from "./check-call.ts";
import type { RefusingFault, SpoilingFault } from "./fault.ts";
import { errorResponse, jsonResponse, sendResponse, type StandinResponse } from "./response.ts";

/** One call and the ways to end it. */
export interface CallExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Must be called once, when the call ends. */
  readonly recordStatus: (status: CallStatus) => void;
  readonly onFaultEnd: (faultId: string, callback: () => void) => () => void;
}

/** Records the status and sends the response. */
export const respond = ({ res, recordStatus }: CallExchange, response: StandinResponse): void => {
  recordStatus(response.status);
  sendResponse(res, response);
};

const serviceUnavailable = errorResponse(503, "Service Unavailable");

const hangUntilFaultEnds = (exchange: CallExchange, faultId: string): void => {
  const { res, recordStatus, onFaultEnd } = exchange;
  if (res.closed) return recordStatus("hang");
  const onClientGone = (): void => {
    cancel();
    recordStatus("hang");
  };
  res.once("close", onClientGone);
  const cancel = onFaultEnd(faultId, () => {
    res.off("close", onClientGone);
    respond(exchange, serviceUnavailable);
  });
};

const htmlResponse = (status: number): StandinResponse => ({
  status,
  contentType: "text/html",
  body: `<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>gateway</body></html>`,
});

const respondWithStatus = (
  exchange: CallExchange,
  { status, retryAfter, body }: Extract<RefusingFault, { kind: "status" }>,
): void => {
  const page = body === "html" ? htmlResponse(status) : errorResponse(status, `Fault with status ${status}`);
  respond(exchange, retryAfter === undefined ? page : { ...page, headers: { "retry-after": retryAfter } });
};

const resultFalseResponse = ({
  errorCode = "GU_1101",
}: Extract<RefusingFault, { kind: "body-false" }>): StandinResponse => {
  const requestId = randomUUID();
  const body = { result: false, errorCode, errorDesc: "Fault body-false", requestId, data: null, message: null };
  return jsonResponse(200, body, { "x-gs-request-id": requestId });
};

/** Ends a call as the fault says: with an error response, or with none. */
export const applyFault = (exchange: CallExchange, id: string, fault: RefusingFault): void => {
  switch (fault.kind) {
    case "outage":
      if (fault.mode === "503") return respond(exchange, serviceUnavailable);
      if (fault.mode === "hang") return hangUntilFaultEnds(exchange, id);
      exchange.recordStatus("reset");
      exchange.req.socket.resetAndDestroy();
      return;
    case "status":
      return respondWithStatus(exchange, fault);
    case "revoked-key":
      return respond(exchange, unauthorized);
    case "body-false":
      return respond(exchange, resultFalseResponse(fault));
    case "redirect":
      return respond(exchange, { ...jsonResponse(302, {}), headers: { location: exchange.req.url } });
  }
};

function* jsonTextOfSize(bytes: number): Generator<string> {
  const chunk = "x".repeat(65_536);
  yield '"';
  for (let remaining = bytes - 2; remaining > 0; remaining -= chunk.length)
    yield remaining < chunk.length ? chunk.slice(0, remaining) : chunk;
  yield '"';
}

/** Responds with 200 to an event that was accepted, but with a body that comes late or is too long. */
export const sendSpoiledBody = ({ res, recordStatus }: CallExchange, fault: SpoilingFault): void => {
  recordStatus(200);
  const length = fault.kind === "slow-body" ? 2 : fault.bytes;
  res.writeHead(200, { "content-type": "application/json", "content-length": length });
  if (fault.kind === "oversize-body") {
    Readable.from(jsonTextOfSize(length)).pipe(res);
  } else {
    res.write("{");
    setTimeout(() => res.end("}"), fault.ms).unref();
  }
};
