import type { ProxyAddress } from "../outbound/connector.ts";
import { type JudgeOptions, createJudge } from "./classify-answer.ts";
import { type Watch, createCredentials } from "./credentials.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";
import { createHttpClient } from "./http.ts";
import { createClickstream } from "./routes/clickstream.ts";

export interface GainsightOptions extends Omit<DeliveryOptions, "send" | "judge" | "onUnauthorized">, JudgeOptions {
  /** Where Gainsight is; a path in it goes before the route's own. */
  readonly url: string;
  readonly proxy?: ProxyAddress | undefined;
  /** How we call ourselves on the wire. */
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly accessKey: { readonly read: () => string; readonly path?: string };
  readonly watch: Watch;
}

/** Gainsight as the stream sees it: calls that are judged, and a way to end. */
export interface Gainsight {
  readonly delivery: Delivery;
  /** Ends the calls in flight; what became of them is not known. */
  readonly abort: () => void;
  readonly close: () => Promise<void>;
}

/** Puts together the wire, the key and the judge. */
export const createGainsight = (options: GainsightOptions): Gainsight => {
  const { url, proxy, userAgent, timeoutMs, accessKey, watch } = options;
  const { origin, pathname } = new URL(url);
  const toRequest = createClickstream({ prefix: pathname.replace(/\/$/, ""), userAgent });
  const http = createHttpClient({ origin, proxy, timeoutMs });
  const credentials = createCredentials({
    file: accessKey.path,
    initial: accessKey.read(),
    onChange: () => delivery.retryUnauthorized(),
    watch,
  });
  const delivery = new Delivery({
    ...options,
    send: (call, onAnswer) => http.send(toRequest(call, credentials.accessKey), onAnswer),
    judge: createJudge(options),
    onUnauthorized: credentials.refresh,
  });
  const close = async (): Promise<void> => {
    credentials.close();
    delivery.close();
    await http.close();
  };
  return { delivery, abort: http.abort, close };
};
