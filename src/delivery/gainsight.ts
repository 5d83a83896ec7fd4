import type { ProxyAddress } from "../outbound/connector.ts";
import { type ResultClassifierOptions, createResultClassifier } from "./classify-result.ts";
import { type WatchFile, createCredentials } from "./credentials.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";
import { createHttpClient } from "./http-client.ts";
import { createClickstreamRequest } from "./routes/clickstream.ts";

export interface GainsightOptions
  extends Omit<DeliveryOptions, "send" | "classifyResult" | "onUnauthorized">, ResultClassifierOptions {
  /** Gainsight's address. A path in it is put before the route's path. */
  readonly url: string;
  readonly proxy?: ProxyAddress | undefined;
  /** The value of the header `User-Agent`. */
  readonly userAgent: string;
  readonly accessKey: { readonly read: () => string; readonly path?: string };
  readonly watchFile: WatchFile;
}

/** The connection to Gainsight: calls whose results are classified, and the ways to end them. */
export interface Gainsight {
  readonly delivery: Delivery;
  /** Ends the calls in flight. Whether Gainsight has processed them is unknown. */
  readonly abortAll: () => void;
  readonly close: () => Promise<void>;
}

/** Wires the HTTP client, the access key and the classifier together. Nothing connects before the first call. */
export const createGainsight = (options: GainsightOptions): Gainsight => {
  const { url, proxy, userAgent, timeoutMs, accessKey, watchFile } = options;
  const { origin, pathname } = new URL(url);
  const toRequest = createClickstreamRequest({ pathPrefix: pathname.replace(/\/$/, ""), userAgent });
  const http = createHttpClient({ origin, proxy, timeoutMs });
  const credentials = createCredentials({
    file: accessKey.path,
    initial: accessKey.read(),
    onChange: () => delivery.probeWithNewKey(),
    watchFile,
  });
  const delivery = new Delivery({
    ...options,
    send: (call, onResult) => http.send(toRequest(call, credentials.accessKey), onResult),
    classifyResult: createResultClassifier(options),
    onUnauthorized: credentials.refresh,
  });
  const close = async (): Promise<void> => {
    credentials.close();
    delivery.close();
    await http.close();
  };
  return { delivery, abortAll: http.abortAll, close };
};
