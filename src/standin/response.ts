import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

export interface StandinResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: OutgoingHttpHeaders;
}

const headersOf = ({ contentType, body, headers }: StandinResponse): OutgoingHttpHeaders => ({
  ...headers,
  "content-type": contentType,
  "content-length": Buffer.byteLength(body),
});

export const sendResponse = (res: ServerResponse, response: StandinResponse): void => {
  res.writeHead(response.status, headersOf(response));
  res.end(response.body);
};

/**
 * Returns a function that sends this response, which is built only once. The response lacks Node's header `Keep-Alive`: most
 * gateways do not send it, and clients would set a timer for it at every response.
 */
export const createFixedResponse = (response: StandinResponse): ((res: ServerResponse) => void) => {
  const { status, body } = response;
  const all = { ...headersOf(response), connection: "keep-alive" };
  const headers = Object.entries(all).flatMap(([name, value]) => [name, String(value)]);
  return (res) => {
    res.writeHead(status, headers);
    res.end(body);
  };
};

export const jsonResponse = (status: number, value: unknown, headers: OutgoingHttpHeaders = {}): StandinResponse => ({
  status,
  contentType: "application/json",
  body: JSON.stringify(value),
  headers,
});

export const errorResponse = (status: number, error: string, headers: OutgoingHttpHeaders = {}): StandinResponse =>
  jsonResponse(status, { error }, headers);

export const textResponse = (body: string): StandinResponse => ({
  status: 200,
  contentType: "text/plain; charset=utf-8",
  body,
});
