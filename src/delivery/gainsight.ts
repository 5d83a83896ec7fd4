import type { ProxyAddress } from "../outbound/connector.ts";
import { type ResultClassifierOptions, createResultClassifier } from "./classify-answer.ts";
import { type WatchFile, createCredentials } from "./credentials.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";
import { createHttpClient } from "./http.ts";
import { createClickstreamRequest } from "./routes/clickstream.ts";

export interface GainsightOptions
  extends Omit<DeliveryOptions, "send" | "classifyResult" | "onUnauthorized">, ResultClassifierOptions {
  /** Where Gainsight is; a path in it goes before the route's own. */
  readonly url: string;
  readonly proxy?: ProxyAddress | undefined;
  /** How we call ourselves on the wire. */
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly accessKey: { readonly read: () => string; readonly path?: string };
  readonly watchFile: WatchFile;
}

/** Gainsight as the stream sees it: calls that are judged, and a way to end. */
export interface Gainsight {
  readonly delivery: Delivery;
  /** Ends the calls in flight; what became of them is not known. */
  readonly abortAll: () => void;
  readonly close: () => Promise<void>;
}

/** Puts together the wire, the key and the judge. */
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
    send: (call, onAnswer) => http.send(toRequest(call, credentials.accessKey), onAnswer),
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
