import type { Call } from "../../core/handle.ts";
import type { HttpRequest } from "../http.ts";

/**
 * The route that Segment's own destination used: the whole event, one a request. Source: open-source client code. What all
 * requests with the same key share is made once.
 */
export const createClickstream = (prefix: string): ((call: Call, accessKey: string) => HttpRequest) => {
  const path = `${prefix}/clickstream/segmentio/event`;
  let headers = { accessKey: "", "Content-Type": "application/json" };
  return ({ body }, accessKey) => {
    if (headers.accessKey !== accessKey) headers = { ...headers, accessKey };
    return { path, headers, body };
  };
};
