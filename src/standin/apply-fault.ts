import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

import type { CallStatus } from "./calls.ts";
import { unauthorized } from "./check-call.ts";
import type { RefusingFault, SpoilingFault } from "./fault.ts";
import { errorAnswer, jsonAnswer, send, type Answer } from "./send.ts";

/** One call on its way to an answer. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** To be called once, with how the call ended. */
  readonly note: (status: CallStatus) => void;
  readonly whenEnded: (faultId: string, callback: () => void) => () => void;
}

/** Notes and sends a whole answer. */
export const answer = ({ res, note }: Exchange, given: Answer): void => {
  note(given.status);
  send(res, given);
};

const serviceUnavailable = errorAnswer(503, "Service Unavailable");

const hang = (exchange: Exchange, faultId: string): void => {
  const { res, note, whenEnded } = exchange;
  if (res.closed) return note("hang");
  const clientGone = (): void => {
    callOff();
    note("hang");
  };
  res.once("close", clientGone);
  const callOff = whenEnded(faultId, () => {
    res.off("close", clientGone);
    answer(exchange, serviceUnavailable);
  });
};

const htmlAnswer = (status: number): Answer => ({
  status,
  contentType: "text/html",
  body: `<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>gateway</body></html>`,
});

const answerStatus = (
  exchange: Exchange,
  { status, retryAfter, body }: Extract<RefusingFault, { kind: "status" }>,
): void => {
  const page = body === "html" ? htmlAnswer(status) : errorAnswer(status, `Fault with status ${status}`);
  answer(exchange, retryAfter === undefined ? page : { ...page, headers: { "retry-after": retryAfter } });
};

const bodyFalse = ({ errorCode = "GU_1101" }: Extract<RefusingFault, { kind: "body-false" }>): Answer => {
  const requestId = randomUUID();
  const body = { result: false, errorCode, errorDesc: "Fault body-false", requestId, data: null, message: null };
  return jsonAnswer(200, body, { "x-gs-request-id": requestId });
};

/** Answers a call in the way of the fault, or gives it no answer. */
export const refuseByFault = (exchange: Exchange, id: string, fault: RefusingFault): void => {
  switch (fault.kind) {
    case "outage":
      if (fault.mode === "503") return answer(exchange, serviceUnavailable);
      if (fault.mode === "hang") return hang(exchange, id);
      exchange.note("reset");
      exchange.req.socket.resetAndDestroy();
      return;
    case "status":
      return answerStatus(exchange, fault);
    case "revoked-key":
      return answer(exchange, unauthorized);
    case "body-false":
      return answer(exchange, bodyFalse(fault));
    case "redirect":
      return answer(exchange, { ...jsonAnswer(302, {}), headers: { location: exchange.req.url } });
  }
};

function* textOfBytes(bytes: number): Generator<string> {
  const chunk = "x".repeat(65_536);
  yield '"';
  for (let left = bytes - 2; left > 0; left -= chunk.length) yield left < chunk.length ? chunk.slice(0, left) : chunk;
  yield '"';
}

/** Answers 200 to an event that was taken, with a body that comes late or is too long. */
export const spoilAnswer = ({ res, note }: Exchange, fault: SpoilingFault): void => {
  note(200);
  const length = fault.kind === "slow-body" ? 2 : fault.bytes;
  res.writeHead(200, { "content-type": "application/json", "content-length": length });
  if (fault.kind === "oversize-body") {
    Readable.from(textOfBytes(length)).pipe(res);
  } else {
    res.write("{");
    setTimeout(() => res.end("}"), fault.ms).unref();
  }
};
