import type { Call } from "../../core/decide.ts";
import type { HttpRequest } from "../http.ts";

export interface ClickstreamOptions {
  /** A path before the route's own. */
  readonly prefix: string;
  readonly userAgent: string;
}

/**
 * The route that Segment's own destination used: the whole event, one a request. Source: open-source client code. What all
 * requests with the same key share is made once.
 */
export const createClickstream = ({
  prefix,
  userAgent,
}: ClickstreamOptions): ((call: Call, accessKey: string) => HttpRequest) => {
  const path = `${prefix}/clickstream/segmentio/event`;
  const type = "application/json";
  let headers = { accessKey: "", "Content-Type": type, Accept: type, "User-Agent": userAgent };
  return ({ body }, accessKey) => {
    if (headers.accessKey !== accessKey) headers = { ...headers, accessKey };
    return { path, headers, body };
  };
};
