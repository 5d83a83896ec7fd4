import { Client, type Dispatcher } from "undici";

import type { CallResult } from "../core/outcome/classify.ts";
import { type ProxyAddress, ProxyError, createConnector } from "../outbound/connector.ts";
import { CallTimeouts } from "./call-timeouts.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { type ResponseHeaders, errorResponseOf, withBodyKindFromBytes } from "./error-response.ts";
import { type SuccessBody, successBodyOf } from "./success-body.ts";

export interface HttpClientOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Every connection goes through this proxy. */
  readonly proxy?: ProxyAddress | undefined;
  /** Per call, from its start to the end of the response. */
  readonly timeoutMs: number;
}

export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpClient {
  /**
   * Sends one POST on a connection that no other call uses meanwhile. Calls `onResult` exactly once, whatever happens, and
   * in a later microtask: nothing catches what it throws. A callback, because a promise per call costs more than the rest of
   * the bookkeeping.
   */
  readonly send: (request: HttpRequest, onResult: (result: CallResult) => void) => void;
  /** Ends every call in flight now. The result of each is `aborted`, unless its status has arrived. */
  readonly abortAll: () => void;
  readonly close: () => Promise<void>;
}

/** A longer response is cut off. Only its beginning says anything; the rest is read to keep the connection. */
const maxResponseBytes = 64 * 1024;

type Controller = Dispatcher.DispatchController;

const codeOf = (error: Error): string => {
  const { code } = error as Error & { code?: unknown };
  return typeof code === "string" ? code : error.name;
};

/** If the proxy failed, nothing was sent: there was no connection to the target. */
const failureOf = (error: Error, sent: boolean): CallResult =>
  error instanceof ProxyError
    ? { kind: "network", code: "PROXY", sent: false, problem: error.message }
    : { kind: "network", code: codeOf(error), sent };

interface HttpExchangeOptions {
  readonly timeoutMs: number;
  readonly client: Client;
  readonly onResult: (result: CallResult) => void;
}

/** One call: turns undici's callbacks into exactly one result. The callbacks of `dispatch` cost a third less CPU than `request`. */
class HttpExchange implements Dispatcher.DispatchHandler {
  readonly startedAt = performance.now();
  readonly #timeoutMs: number;
  readonly #client: Client;
  readonly #onResult: (result: CallResult) => void;
  #controller: Controller | undefined;
  #forcedResult: CallResult | undefined;
  #response: Extract<CallResult, { kind: "response" }> | undefined;
  #body: SuccessBody | undefined;
  #receivedBytes = 0;
  #hasEnded = false;

  constructor({ timeoutMs, client, onResult }: HttpExchangeOptions) {
    this.#timeoutMs = timeoutMs;
    this.#client = client;
    this.#onResult = onResult;
  }

  /** Ends the call now, with this result unless the status has arrived. */
  endWith(result: CallResult): void {
    this.#forcedResult = result;
    if (this.#controller) this.#controller.abort(new Error("Ended"));
    // The client still connects: there is no request to abort.
    else void this.#client.destroy(new Error("Ended"));
  }

  /**
   * undici calls this right before it writes the request. A process that was frozen or very busy may come here late. Then
   * another instance may own the event, and nothing may be sent.
   */
  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    const isLate = performance.now() - this.startedAt >= this.#timeoutMs;
    if (isLate) this.#forcedResult ??= { kind: "timeout", timeoutMs: this.#timeoutMs };
    if (this.#forcedResult) controller.abort(new Error("Ended"));
  }

  onResponseStart(controller: Controller, status: number, headers: ResponseHeaders): void {
    // Otherwise a controller that has moved to the old heap keeps them there.
    controller.rawHeaders = null;
    // An interim response (1xx): the final one follows.
    if (status < 200) return;
    if (status < 300) this.#body = successBodyOf(headers);
    this.#response = status < 300 ? { kind: "response", status } : errorResponseOf(status, headers, Date.now());
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#receivedBytes === 0 && this.#response) this.#response = withBodyKindFromBytes(this.#response, chunk);
    this.#body?.add(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > maxResponseBytes) controller.abort(new Error("The response is too long"));
  }

  onResponseEnd(): void {
    // Only a complete body counts: nobody knows what a truncated one would have said.
    const resultFalse = this.#body?.resultFalse();
    if (resultFalse && this.#response) this.#response = { ...this.#response, resultFalse };
    this.#endOnce({ kind: "network", code: "NO_RESPONSE", sent: true });
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#endOnce(failureOf(error, this.#controller !== undefined));
  }

  /**
   * Once the status has arrived, it is the result, even if the body breaks off or we end the call. Our own end goes before a
   * network error, so that a call that we end is not sent again.
   */
  #endOnce(failure: CallResult): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // Not inside undici's callback: it would catch our exceptions, and its parser is not done with the connection yet.
    queueMicrotask(() => this.#onResult(this.#response ?? this.#forcedResult ?? failure));
  }
}

/** Sends calls over HTTP. It follows no redirect: the access key must not go to another address. */
export const createHttpClient = ({ origin, proxy, timeoutMs }: HttpClientOptions): HttpClient => {
  const options: Client.Options = {
    // A connection has one call at a time. With 1, undici would also wait a turn after every response, as the pool does already.
    pipelining: 2,
    // One connector for all connections: it remembers the TLS sessions.
    connect: createConnector({ connectTimeoutMs: timeoutMs, proxy }),
    // `CallTimeouts` covers the whole call.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const connections = new ConnectionPool(() => new Client(origin, options));
  const callTimeouts = new CallTimeouts(timeoutMs);
  const send: HttpClient["send"] = ({ path, headers, body }, onResult) => {
    const client = connections.acquire();
    const exchange = new HttpExchange({
      timeoutMs,
      client,
      onResult: (result) => {
        callTimeouts.remove(timeoutIndex);
        connections.release(client);
        onResult(result);
      },
    });
    const timeoutIndex = callTimeouts.add(exchange);
    client.dispatch({ path, method: "POST", headers, body }, exchange);
  };
  return {
    send,
    abortAll: () => callTimeouts.abortAll(),
    close: async () => {
      callTimeouts.stop();
      await connections.close();
    },
  };
};
