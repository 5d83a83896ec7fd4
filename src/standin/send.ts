import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: OutgoingHttpHeaders;
}

const headersOf = ({ contentType, body, headers }: Answer): OutgoingHttpHeaders => ({
  ...headers,
  "content-type": contentType,
  "content-length": Buffer.byteLength(body),
});

/** Sends one whole answer. */
export const send = (res: ServerResponse, answer: Answer): void => {
  res.writeHead(answer.status, headersOf(answer));
  res.end(answer.body);
};

/**
 * Sends the same answer each time; what it costs to put it together is paid once. Without Node's `Keep-Alive`, which most
 * gateways do not send either: clients would set a timer by it at every answer.
 */
export const createSend = (answer: Answer): ((res: ServerResponse) => void) => {
  const { status, body } = answer;
  const all = { ...headersOf(answer), connection: "keep-alive" };
  const headers = Object.entries(all).flatMap(([name, value]) => [name, String(value)]);
  return (res) => {
    res.writeHead(status, headers);
    res.end(body);
  };
};

export const jsonAnswer = (status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Answer => ({
  status,
  contentType: "application/json",
  body: JSON.stringify(value),
  headers,
});

export const errorAnswer = (status: number, error: string, headers: OutgoingHttpHeaders = {}): Answer =>
  jsonAnswer(status, { error }, headers);

export const textAnswer = (body: string): Answer => ({ status: 200, contentType: "text/plain; charset=utf-8", body });
