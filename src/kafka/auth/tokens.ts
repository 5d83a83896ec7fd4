import { equalJitter } from "../../core/outcome/backoff.ts";
import { toError } from "../../core/to-error.ts";
import { isProgrammingError } from "../own-errors.ts";

/** A token for a log-in by SASL/OAUTHBEARER. */
export interface Token {
  readonly value: string;
  /** How long it is valid, counted from the request for it. */
  readonly lifetimeMs: number;
}

/** The source of tokens for log-ins. */
export interface Tokens {
  /** Resolves with a token that is valid now. Rejects with a sentence if there is none. */
  readonly get: () => Promise<string>;
  /** Whether there is a token that is valid now and during a log-in. */
  readonly hasToken: () => boolean;
  /** Whether there is a token that does not have to be renewed yet. */
  readonly isFresh: () => boolean;
  /** Requests a new token in the background unless there is a fresh one. */
  readonly renewIfStale: () => void;
  /** Why there is no valid token; undefined if there is one or the reason is not known. */
  readonly problem: () => string | undefined;
  /** Discards this token: a broker has refused it. */
  readonly invalidate: (value: string) => void;
}

export interface RenewedTokensOptions {
  /** Must settle in bounded time. Rejects with a sentence. */
  readonly requestToken: () => Promise<Token>;
  /** Receives the reason why a token cannot be renewed in the background. */
  readonly warn: (sentence: string) => void;
  /** A monotonic clock in milliseconds. */
  readonly monotonicNow: () => number;
  readonly random: () => number;
}

interface CachedToken {
  readonly value: string;
  readonly requestedAt: number;
  readonly staleAt: number;
  readonly expiresAt: number;
}

/** A log-in on an open connection cannot be aborted, so its token must stay valid for this long. */
const loginMarginMs = 500;
const minRetryPauseMs = 1_000;
const maxRetryPauseMs = 30_000;
/** Keeps a broker that refuses every token from causing a request for each connection. */
const refusedPauseMs = 5_000;

/**
 * One token for all connections. It is renewed after about 70 % of its lifetime, by one request at a time. If a request fails, the
 * current token stays in use while it is valid, and the next request comes after a pause that grows.
 */
export class RenewedTokens implements Tokens {
  readonly #options: RenewedTokensOptions;
  #cached: CachedToken | undefined;
  #renewal: Promise<string> | undefined;
  #failures = 0;
  #problem: Error | undefined;
  #retryAt = Number.NEGATIVE_INFINITY;

  constructor(options: RenewedTokensOptions) {
    this.#options = options;
  }

  readonly hasToken = (): boolean => this.#options.monotonicNow() + loginMarginMs < this.#expiresAt;

  readonly problem = (): string | undefined =>
    this.#options.monotonicNow() < this.#expiresAt ? undefined : this.#problem?.message;

  readonly isFresh = (): boolean => this.#cached !== undefined && this.#options.monotonicNow() < this.#cached.staleAt;

  readonly get = async (): Promise<string> => {
    if (this.#cached && this.#options.monotonicNow() < this.#expiresAt) {
      this.renewIfStale();
      return this.#cached.value;
    }
    if (this.#problem && this.#options.monotonicNow() < this.#retryAt) throw this.#problem;
    return this.#renewOnce();
  };

  readonly renewIfStale = (): void => {
    if (this.isFresh() || this.#options.monotonicNow() < this.#retryAt) return;
    void this.#renewOnce().catch((error: unknown) => this.#warnOfFailure(error));
  };

  readonly invalidate = (value: string): void => {
    if (this.#cached?.value !== value) return;
    this.#problem = new Error("The broker has refused the newest token");
    this.#retryAt = this.#cached.requestedAt + refusedPauseMs;
    this.#cached = undefined;
  };

  get #expiresAt(): number {
    return this.#cached?.expiresAt ?? Number.NEGATIVE_INFINITY;
  }

  #renewOnce(): Promise<string> {
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #renew(): Promise<string> {
    const { requestToken, monotonicNow, random } = this.#options;
    const requestedAt = monotonicNow();
    try {
      const { value, lifetimeMs } = await requestToken();
      // At a random time, so that the members of a group do not all renew at once.
      const staleAt = requestedAt + lifetimeMs * (0.68 + random() * 0.04);
      this.#cached = { value, requestedAt, staleAt, expiresAt: requestedAt + lifetimeMs };
      this.#failures = 0;
      this.#retryAt = requestedAt;
      this.#problem = undefined;
      return value;
    } catch (error) {
      const jitter = { attempt: this.#failures++, baseMs: minRetryPauseMs, maxMs: maxRetryPauseMs, random: random() };
      this.#retryAt = monotonicNow() + equalJitter(jitter);
      this.#problem = toError(error);
      throw this.#problem;
    }
  }

  #warnOfFailure(error: unknown): void {
    if (isProgrammingError(error)) throw error;
    const { warn, monotonicNow } = this.#options;
    const remainingSeconds = Math.ceil((this.#expiresAt - monotonicNow()) / 1_000);
    const remainder = remainingSeconds > 0 ? `; the current token is valid for another ${remainingSeconds} s` : "";
    warn(`${toError(error).message}${remainder}`);
  }
}

/** Printable ASCII without blanks. Any other character could end the token's field in the message to the broker. */
const tokenPattern = /^[\x21-\x7e]+$/;

export const isToken = (text: unknown): text is string => typeof text === "string" && tokenPattern.test(text);

/** A token in a file that another program renews. It is read for every log-in. */
export const fileTokens = (read: () => string): Tokens => ({
  get: async () => {
    const text = read();
    if (tokenPattern.test(text)) return text;
    throw new Error(
      `Cannot use KAFKA_SASL_OAUTH_TOKEN_FILE: got ${text.length} characters that are no token, want printable ASCII without blanks`,
    );
  },
  hasToken: () => true,
  isFresh: () => true,
  renewIfStale: () => {},
  problem: () => undefined,
  invalidate: () => {},
});
