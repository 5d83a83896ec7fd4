import type { IncomingHttpHeaders } from "node:http";

import { isWireObject, describeKind } from "./json.ts";
import { bodyLimitBytes } from "./read-body.ts";
import { errorResponse, type StandinResponse } from "./response.ts";

/** A call of the clickstream route, before any check. */
export interface ReceivedCall {
  readonly headers: IncomingHttpHeaders;
  readonly isTooLarge: boolean;
  /** The body's JSON value; undefined if the body is not JSON. */
  readonly body: unknown;
}

const isoInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const isInstant = (value: unknown): value is string =>
  typeof value === "string" && isoInstant.test(value) && !Number.isNaN(Date.parse(value));

// A client may log our response, so these sentences name the type of a value, never the value.
const problemIn = (body: unknown): string | undefined => {
  if (body === undefined) return "Cannot read the body: got no JSON, want one JSON object";
  if (!isWireObject(body)) return `Cannot read the body: got ${describeKind(body)}, want one JSON object`;
  const { type, timestamp } = body;
  if (typeof type !== "string") return `Cannot take the event: 'type' is ${describeKind(type)}, want a string`;
  if (isInstant(timestamp)) return undefined;
  const got = typeof timestamp === "string" ? "text of another form" : describeKind(timestamp);
  return `Cannot take the event: 'timestamp' is ${got}, want ISO 8601 such as 2026-01-31T12:00:00.000Z`;
};

/** The response that refuses a call; undefined if the call is valid. */
export const refuseCall = (
  { headers, isTooLarge, body }: ReceivedCall,
  accessKey: string,
): StandinResponse | undefined => {
  if (isTooLarge) return errorResponse(413, `Cannot take the body: want at most ${bodyLimitBytes} bytes`);
  if (headers["accesskey"] !== accessKey) return unauthorized;
  const contentType = headers["content-type"] ?? "";
  if (!/^application\/json\s*(;|$)/i.test(contentType)) {
    return errorResponse(415, "Cannot take the body: want the header Content-Type: application/json");
  }
  const problem = problemIn(body);
  return problem === undefined ? undefined : errorResponse(400, problem);
};

/** The same response for a wrong, a missing and a revoked key. It never repeats the key. */
export const unauthorized = errorResponse(
  401,
  "Cannot accept the access key: want a valid one in the header accessKey",
);
