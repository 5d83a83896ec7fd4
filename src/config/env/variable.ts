import { type ValueKind, unavailableValue } from "./kinds.ts";

/** An environment variable: what it takes and what it means. */
export interface Variable<T> {
  readonly kind: ValueKind<T>;
  readonly description: string;
  readonly default?: string;
  /** Whether the name in lower case counts too, and before the other, as programs that use a proxy have it. */
  readonly hasLowerCaseName?: true;
  /** The default in words, if it is not the same everywhere. */
  readonly defaultText?: string;
  readonly presence: "required" | "optional" | "unavailable";
}

export const required = <T>(kind: ValueKind<T>, description: string): Variable<T> => ({
  kind,
  description,
  presence: "required",
});

export const optional = <T>(kind: ValueKind<T>, description: string): Variable<T | undefined> => ({
  kind,
  description,
  presence: "optional",
});

export const withDefault = <T>(kind: ValueKind<T>, defaultValue: string, description: string): Variable<T> => ({
  kind,
  description,
  default: defaultValue,
  presence: "optional",
});

export const withLowerCaseName = <T>(variable: Variable<T>): Variable<T> => ({ ...variable, hasLowerCaseName: true });

export const unavailable: Variable<undefined> = { kind: unavailableValue, description: "", presence: "unavailable" };
