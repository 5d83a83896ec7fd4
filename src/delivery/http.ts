import { type Dispatcher, Pool } from "undici";

import type { Answer } from "../core/classify.ts";
import { parseRetryAfter } from "../core/retry-after.ts";

export interface HttpOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Per call, from start to the end of the answer. */
  readonly timeoutMs: number;
  readonly connections: number;
}

export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpClient {
  /** Sends one POST. Never rejects: whatever happens is an answer. */
  readonly send: (request: HttpRequest) => Promise<Answer>;
  /** Ends every call in flight now; each is answered as `network`. */
  readonly abort: () => void;
  readonly close: () => Promise<void>;
}

/** Answers are read only to free the connection; a target that sends more than this is cut off. */
const maxAnswerBytes = 64 * 1024;

type Controller = Dispatcher.DispatchController;

const codeOf = (error: Error): string => {
  const { code } = error as Error & { code?: unknown };
  return typeof code === "string" ? code : error.name;
};

/** One call: turns undici's callbacks into exactly one answer. Callbacks, because they cost a third less CPU than `request`. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly startedAt = performance.now();
  readonly #timeoutMs: number;
  readonly #finish: (answer: Answer) => void;
  #controller: Controller | undefined;
  #ended: Answer | undefined;
  #response: Answer | undefined;
  #bytes = 0;

  constructor(timeoutMs: number, finish: (answer: Answer) => void) {
    this.#timeoutMs = timeoutMs;
    this.#finish = finish;
  }

  /** Ends the call now: this is what is answered unless a status has come. */
  end(answer: Answer): void {
    this.#ended = answer;
    this.#controller?.abort(new Error("Ended"));
    // Still waiting for a connection: there is nothing to abort yet, and nobody would call back in time.
    if (!this.#controller) this.#finish(answer);
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
    _controller: Controller,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // A provisional answer: the real one follows.
    if (status < 200) return;
    const { "retry-after": given } = headers;
    const retryAfterMs = given === undefined ? undefined : parseRetryAfter(String(given), Date.now());
    this.#response = { kind: "response", status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxAnswerBytes) controller.abort(new Error("The answer is too long"));
  }

  onResponseEnd(): void {
    this.#finish(this.#response ?? { kind: "network", code: "NO_RESPONSE", sent: true });
  }

  /** Once the status has come, the body does not change what it means. */
  onResponseError(_controller: Controller, error: Error): void {
    this.#finish(
      this.#response ?? this.#ended ?? { kind: "network", code: codeOf(error), sent: this.#controller !== undefined },
    );
  }
}

/**
 * One timer for all calls, set for the oldest of them. Each call has a place in an array, not in a `Set`: that one is made anew
 * every few hundred calls, and whatever stood in its former tables is dragged through the old heap, which took a fifth of the CPU.
 */
class Deadlines {
  readonly #timeoutMs: number;
  readonly #running: (Exchange | undefined)[] = [];
  readonly #free: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Gives the call's place back. */
  add(exchange: Exchange): number {
    const place = this.#free.pop() ?? this.#running.length;
    this.#running[place] = exchange;
    this.#timer ??= setTimeout(() => this.#sweep(), this.#timeoutMs);
    return place;
  }

  /** A call may end twice: by then its place may be another's. */
  remove(exchange: Exchange, place: number): void {
    if (this.#running[place] !== exchange) return;
    this.#running[place] = undefined;
    this.#free.push(place);
  }

  abortAll(): void {
    for (const exchange of this.#running) exchange?.end({ kind: "network", code: "ABORTED", sent: true });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #sweep(): void {
    this.#timer = undefined;
    const startedBy = performance.now() - this.#timeoutMs;
    let oldest = Number.POSITIVE_INFINITY;
    for (const exchange of this.#running) {
      if (!exchange) continue;
      if (exchange.startedAt - startedBy > 1) oldest = Math.min(oldest, exchange.startedAt);
      else exchange.end({ kind: "timeout", timeoutMs: this.#timeoutMs });
    }
    if (oldest < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#sweep(), oldest - startedBy);
  }
}

/** The only door to undici. Redirects are not followed: the key must not travel to another address. */
export const createHttpClient = ({ origin, timeoutMs, connections }: HttpOptions): HttpClient => {
  // Our own deadline covers the whole call, so undici need not watch as well.
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    connect: { timeout: timeoutMs },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const deadlines = new Deadlines(timeoutMs);
  const send = ({ path, headers, body }: HttpRequest): Promise<Answer> =>
    new Promise((resolve) => {
      const exchange = new Exchange(timeoutMs, (answer) => {
        deadlines.remove(exchange, place);
        resolve(answer);
      });
      const place = deadlines.add(exchange);
      pool.dispatch({ origin, path, method: "POST", headers, body }, exchange);
    });
  return {
    send,
    abort: () => deadlines.abortAll(),
    close: async () => {
      deadlines.stop();
      await pool.destroy();
    },
  };
};
