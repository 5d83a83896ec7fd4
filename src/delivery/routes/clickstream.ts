import type { Call } from "../../core/handle.ts";
import type { HttpRequest } from "../http.ts";

/** The route that Segment's own destination used: the whole event, one a request. Source: open-source client code. */
export const clickstreamRequest = (call: Call, to: { accessKey: string; prefix: string }): HttpRequest => ({
  path: `${to.prefix}/clickstream/segmentio/event`,
  headers: { accessKey: to.accessKey, "Content-Type": "application/json" },
  body: call.body,
});
