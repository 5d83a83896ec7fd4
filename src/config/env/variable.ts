import { type Kind, unavailable } from "./kinds.ts";

/** An environment variable: what it takes and what it means. */
export interface Variable<T> {
  readonly kind: Kind<T>;
  readonly meaning: string;
  readonly default?: string;
  /** Whether the name in lower case counts too, and before the other, as programs that use a proxy have it. */
  readonly isLowerCaseToo?: true;
  /** The default in words, if it is not the same everywhere. */
  readonly defaultInWords?: string;
  readonly presence: "required" | "optional" | "unavailable";
}

export const required = <T>(kind: Kind<T>, meaning: string): Variable<T> => ({ kind, meaning, presence: "required" });

export const optional = <T>(kind: Kind<T>, meaning: string): Variable<T | undefined> => ({
  kind,
  meaning,
  presence: "optional",
});

export const withDefault = <T>(kind: Kind<T>, byDefault: string, meaning: string): Variable<T> => ({
  kind,
  meaning,
  default: byDefault,
  presence: "optional",
});

export const lowerCaseToo = <T>(variable: Variable<T>): Variable<T> => ({ ...variable, isLowerCaseToo: true });

export const later: Variable<undefined> = { kind: unavailable, meaning: "", presence: "unavailable" };
