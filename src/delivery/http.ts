import { Client, type Dispatcher } from "undici";

import type { Answer } from "../core/outcome/classify.ts";
import { type ProxyAddress, ProxyError, createConnector } from "../outbound/connector.ts";
import { Connections } from "./connections.ts";
import { refusalOf, withFirstBytes } from "./refusal.ts";
import { type SuccessBody, successBodyOf } from "./success-body.ts";
import { Deadlines } from "./time-outs.ts";

export interface HttpOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  /** On the way there. */
  readonly proxy?: ProxyAddress | undefined;
  /** Per call, from start to the end of the answer. */
  readonly timeoutMs: number;
}

export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpClient {
  /**
   * Sends one POST, on a connection of its own while it lasts. Whatever happens is an answer, and there is exactly one. It
   * comes in a turn of its own, where nobody catches what `onAnswer` throws. A callback, since promises of every call's
   * own cost more than the bookkeeping.
   */
  readonly send: (request: HttpRequest, onAnswer: (answer: Answer) => void) => void;
  /** Ends every call in flight now; each is answered as `aborted`, unless a status has come. */
  readonly abort: () => void;
  readonly close: () => Promise<void>;
}

/** A target that sends more than this is cut off: little of an answer says anything, and the rest is read to free the connection. */
const maxAnswerBytes = 64 * 1024;

type Controller = Dispatcher.DispatchController;

const codeOf = (error: Error): string => {
  const { code } = error as Error & { code?: unknown };
  return typeof code === "string" ? code : error.name;
};

/** Where a proxy is the trouble, nothing has been sent: it opens no way. */
const failureOf = (error: Error, sent: boolean): Answer =>
  error instanceof ProxyError
    ? { kind: "network", code: "PROXY", sent: false, problem: error.message }
    : { kind: "network", code: codeOf(error), sent };

interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly client: Client;
  readonly onAnswer: (answer: Answer) => void;
}

/** One call: turns undici's callbacks into exactly one answer. Callbacks, because they cost a third less CPU than `request`. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly startedAt = performance.now();
  readonly #timeoutMs: number;
  readonly #client: Client;
  readonly #onAnswer: (answer: Answer) => void;
  #controller: Controller | undefined;
  #ended: Answer | undefined;
  #response: Extract<Answer, { kind: "response" }> | undefined;
  #body: SuccessBody | undefined;
  #bytes = 0;
  #isAnswered = false;

  constructor({ timeoutMs, client, onAnswer }: ExchangeOptions) {
    this.#timeoutMs = timeoutMs;
    this.#client = client;
    this.#onAnswer = onAnswer;
  }

  /** Ends the call now: this is what is answered unless a status has come. */
  end(answer: Answer): void {
    this.#ended = answer;
    if (this.#controller) this.#controller.abort(new Error("Ended"));
    // Still connecting: there is nothing to abort yet.
    else void this.#client.destroy(new Error("Ended"));
  }

  /**
   * Right before the request is written. A process that was frozen, or very busy, may come to it late: by then another member
   * may own the event.
   */
  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    const isLate = performance.now() - this.startedAt >= this.#timeoutMs;
    if (isLate) this.#ended ??= { kind: "timeout", timeoutMs: this.#timeoutMs };
    if (this.#ended) controller.abort(new Error("Ended"));
  }

  onResponseStart(
    controller: Controller,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Else the controller, which may have grown old while it waited, drags them along through the old heap.
    controller.rawHeaders = null;
    // A provisional answer: the real one follows.
    if (status < 200) return;
    if (status < 300) this.#body = successBodyOf(headers);
    this.#response = status < 300 ? { kind: "response", status } : refusalOf(status, headers, Date.now());
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#bytes === 0 && this.#response) this.#response = withFirstBytes(this.#response, chunk);
    this.#body?.add(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > maxAnswerBytes) controller.abort(new Error("The answer is too long"));
  }

  onResponseEnd(): void {
    // Only of a body that is whole: of one that was cut nobody knows what it would have said.
    const resultFalse = this.#body?.resultFalse();
    if (resultFalse && this.#response) this.#response = { ...this.#response, resultFalse };
    this.#answer({ kind: "network", code: "NO_RESPONSE", sent: true });
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#answer(failureOf(error, this.#controller !== undefined));
  }

  /**
   * Once the status has come, neither a body that breaks off nor our own end of the call changes what it means. A call that we
   * end is not sent again, also if its connection has just broken by itself.
   */
  #answer(failure: Answer): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    // Not among undici's own calls: it would catch our exceptions, and its parser is not yet done with the connection.
    queueMicrotask(() => this.#onAnswer(this.#response ?? this.#ended ?? failure));
  }
}

/** Redirects are not followed: the key must not travel to another address. */
export const createHttpClient = ({ origin, proxy, timeoutMs }: HttpOptions): HttpClient => {
  const options: Client.Options = {
    // Each has one call at a time. With 1, undici would wait a turn of its own after every answer, as the connection does here.
    pipelining: 2,
    // One for all, since it remembers the TLS sessions.
    connect: createConnector({ timeoutMs, proxy }),
    // Our own deadline covers the whole call, so undici need not watch as well.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const connections = new Connections(() => new Client(origin, options));
  const deadlines = new Deadlines(timeoutMs);
  const send: HttpClient["send"] = ({ path, headers, body }, onAnswer) => {
    const client = connections.take();
    const exchange = new Exchange({
      timeoutMs,
      client,
      onAnswer: (answer) => {
        deadlines.remove(place);
        connections.giveBack(client);
        onAnswer(answer);
      },
    });
    const place = deadlines.add(exchange);
    client.dispatch({ path, method: "POST", headers, body }, exchange);
  };
  return {
    send,
    abort: () => deadlines.abortAll(),
    close: async () => {
      deadlines.stop();
      await connections.close();
    },
  };
};
