import { type ValueKind, unavailableValue } from "./kinds.ts";

/** An environment variable: which values it takes and what it does. */
export interface Variable<T> {
  readonly kind: ValueKind<T>;
  /** For people: at most two short sentences, without a full stop at the end. */
  readonly description: string;
  readonly default?: string;
  /** Whether the name in lower case also counts, and before the other, as is usual for proxy variables. */
  readonly hasLowerCaseName?: true;
  /** What people read instead of the default, if the default depends on the installation. */
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

/** A variable of the contract that this version does not support. */
export const unavailable: Variable<undefined> = { kind: unavailableValue, description: "", presence: "unavailable" };
