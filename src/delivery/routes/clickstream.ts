import type { Call } from "../../core/handle.ts";
import type { HttpRequest } from "../http.ts";

/** The route that Segment's own destination used: the whole event, one a request. Source: open-source client code. */
export const clickstreamRequest = (call: Call, accessKey: string): HttpRequest => ({
  path: "/clickstream/segmentio/event",
  headers: { accessKey, "Content-Type": "application/json" },
  body: call.body,
});
