import type { Call } from "../../core/decide.ts";
import type { HttpRequest } from "../http-client.ts";

export interface ClickstreamRequestOptions {
  /** The path of the configured URL, without a slash at its end. */
  readonly pathPrefix: string;
  readonly userAgent: string;
}

/**
 * Gainsight's route for Segment events: each request carries one whole event as JSON. The route is known from open-source
 * client code, not from Gainsight's documentation. Requests with the same access key share one headers object.
 */
export const createClickstreamRequest = ({
  pathPrefix,
  userAgent,
}: ClickstreamRequestOptions): ((call: Call, accessKey: string) => HttpRequest) => {
  const path = `${pathPrefix}/clickstream/segmentio/event`;
  const type = "application/json";
  let headers = { accessKey: "", "Content-Type": type, Accept: type, "User-Agent": userAgent };
  const toRequest = ({ body }: Call, accessKey: string): HttpRequest => {
    if (headers.accessKey !== accessKey) headers = { ...headers, accessKey };
    return { path, headers, body };
  };
  return toRequest;
};
