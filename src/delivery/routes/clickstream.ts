import type { Call } from "../../core/decide.ts";
import type { HttpRequest } from "../http.ts";

export interface ClickstreamRequestOptions {
  /** A path before the route's own. */
  readonly pathPrefix: string;
  readonly userAgent: string;
}

/**
 * The route that Segment's own destination used: the whole event, one a request. Source: open-source client code. What all
 * requests with the same key share is made once.
 */
export const createClickstreamRequest = ({
  pathPrefix,
  userAgent,
}: ClickstreamRequestOptions): ((call: Call, accessKey: string) => HttpRequest) => {
  const path = `${pathPrefix}/clickstream/segmentio/event`;
  const type = "application/json";
  let headers = { accessKey: "", "Content-Type": type, Accept: type, "User-Agent": userAgent };
  return ({ body }, accessKey) => {
    if (headers.accessKey !== accessKey) headers = { ...headers, accessKey };
    return { path, headers, body };
  };
};
