import { equalJitter } from "../../core/outcome/backoff.ts";
import { isOwnError } from "../own-errors.ts";

/** What a broker takes in the place of a password. */
export interface Token {
  readonly value: string;
  /** From when it was asked for. */
  readonly lifetimeMs: number;
}

/** Where log-ins get their tokens. */
export interface Tokens {
  /** A token that is valid now. Rejects with a sentence if there is none. */
  readonly get: () => Promise<string>;
  /** Whether a log-in now has a token that is valid. */
  readonly hasToken: () => boolean;
  /** Whether it has one that lasts. If not, that is asked for meanwhile. */
  readonly isReady: () => boolean;
  /** Why there is no valid token, if that is known. */
  readonly problem: () => string | undefined;
  /** The broker does not take this token. */
  readonly refuse: (value: string) => void;
}

export interface RenewedTokensOptions {
  /** Ends in bounded time; rejects with a sentence. */
  readonly ask: () => Promise<Token>;
  /** Is told why a token cannot be renewed for the connections that there are. */
  readonly warn: (sentence: string) => void;
  /** A clock that nobody can set, in milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
}

interface Held {
  readonly value: string;
  readonly askedAt: number;
  readonly staleAt: number;
  readonly expiresAt: number;
}

/** A log-in on an open connection cannot be given up halfway: its token must not end meanwhile. */
const exchangeMs = 500;
const pauseMinMs = 1_000;
const pauseMaxMs = 30_000;
/** A broker that refuses every token must not make us ask for one at each connection. */
const refusedPauseMs = 5_000;

/**
 * One token for all connections, asked for by one request at a time, and renewed after about 70 % of its life. If that fails, the
 * present one counts as long as it is valid, and the next request comes after a growing pause.
 */
export class RenewedTokens implements Tokens {
  readonly #options: RenewedTokensOptions;
  #held: Held | undefined;
  #asking: Promise<string> | undefined;
  #failures = 0;
  #problem: Error | undefined;
  #askAgainAt = Number.NEGATIVE_INFINITY;

  constructor(options: RenewedTokensOptions) {
    this.#options = options;
  }

  readonly hasToken = (): boolean => this.#options.now() + exchangeMs < this.#endsAt;

  readonly problem = (): string | undefined =>
    this.#options.now() < this.#endsAt ? undefined : this.#problem?.message;

  readonly get = async (): Promise<string> => {
    if (this.#held && this.#options.now() < this.#endsAt) {
      this.isReady();
      return this.#held.value;
    }
    if (this.#problem && this.#options.now() < this.#askAgainAt) throw this.#problem;
    return this.#ask();
  };

  readonly isReady = (): boolean => {
    const now = this.#options.now();
    if (this.#held && now < this.#held.staleAt) return true;
    if (now >= this.#askAgainAt) void this.#ask().catch((error: unknown) => this.#tell(error));
    return false;
  };

  readonly refuse = (value: string): void => {
    if (this.#held?.value !== value) return;
    this.#problem = new Error("The broker has refused the newest token");
    this.#askAgainAt = this.#held.askedAt + refusedPauseMs;
    this.#held = undefined;
  };

  get #endsAt(): number {
    return this.#held?.expiresAt ?? Number.NEGATIVE_INFINITY;
  }

  #ask(): Promise<string> {
    this.#asking ??= this.#renew().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #renew(): Promise<string> {
    const { ask, now, random } = this.#options;
    const askedAt = now();
    try {
      const { value, lifetimeMs } = await ask();
      // Not all members at the same time.
      const staleAt = askedAt + lifetimeMs * (0.68 + random() * 0.04);
      this.#held = { value, askedAt, staleAt, expiresAt: askedAt + lifetimeMs };
      this.#failures = 0;
      this.#askAgainAt = askedAt;
      this.#problem = undefined;
      return value;
    } catch (error) {
      const jitter = { attempt: this.#failures++, baseMs: pauseMinMs, maxMs: pauseMaxMs, random: random() };
      this.#askAgainAt = now() + equalJitter(jitter);
      this.#problem = error instanceof Error ? error : new Error(String(error));
      throw this.#problem;
    }
  }

  #tell(error: unknown): void {
    if (isOwnError(error)) throw error;
    const { warn, now } = this.#options;
    const leftSeconds = Math.ceil((this.#endsAt - now()) / 1_000);
    const left = leftSeconds > 0 ? `; the present token is valid for another ${leftSeconds} s` : "";
    warn(`${messageOf(error)}${left}`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Anything else would break out of its place in the message to the broker. */
const tokenPattern = /^[\x21-\x7e]+$/;

export const isToken = (text: unknown): text is string => typeof text === "string" && tokenPattern.test(text);

/** A token that somebody else renews in its file. */
export const fileTokens = (read: () => string): Tokens => ({
  get: async () => {
    const text = read();
    if (tokenPattern.test(text)) return text;
    throw new Error(`Cannot use KAFKA_SASL_OAUTH_TOKEN_FILE: got ${text.length} characters that are no token`);
  },
  hasToken: () => true,
  isReady: () => true,
  problem: () => undefined,
  refuse: () => {},
});
