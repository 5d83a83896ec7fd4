import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** Sends one whole answer. */
export const send = (res: ServerResponse, { status, contentType, body, headers }: Answer): void => {
  res.writeHead(status, { ...headers, "content-type": contentType, "content-length": Buffer.byteLength(body) });
  res.end(body);
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
