import type { Fault, FaultKind } from "./fault.ts";
import { isWireObject, type WireObject } from "./json.ts";

/** A fault is invalid. The message tells the client why. */
export class FaultError extends Error {
  override readonly name = "FaultError";
}

interface FieldRule {
  readonly want: string;
  readonly isValid: (value: unknown) => boolean;
  readonly required?: true;
}

const wholeNumber = (min: number, max: number): FieldRule => ({
  want: `a whole number from ${min} to ${max}`,
  isValid: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
});

const oneOf = (...names: readonly string[]): FieldRule => ({
  want: `one of ${names.join(", ")}`,
  isValid: (value) => typeof value === "string" && names.includes(value),
});

const required = (field: FieldRule): FieldRule => ({ ...field, required: true });

const milliseconds = wholeNumber(0, 3_600_000);
const matchFields = ["userId", "event", "accountId", "messageId", "type"];

const scopeFields: Readonly<Record<string, FieldRule>> = {
  durationMs: wholeNumber(1, 86_400_000),
  count: wholeNumber(1, 1_000_000_000),
  ratio: {
    want: "a number from 0 to 1",
    isValid: (value) => typeof value === "number" && value >= 0 && value <= 1,
  },
  match: {
    want: `an object of texts with at least one of ${matchFields.join(", ")}`,
    isValid: (value) =>
      isWireObject(value) &&
      Object.keys(value).length > 0 &&
      Object.entries(value).every(([name, text]) => matchFields.includes(name) && typeof text === "string"),
  },
};

const fieldsByKind: Readonly<Record<FaultKind, Readonly<Record<string, FieldRule>>>> = {
  outage: { mode: required(oneOf("503", "refuse", "hang", "reset")), ...scopeFields },
  latency: { ms: required(milliseconds), jitterMs: milliseconds, ...scopeFields },
  status: {
    status: required(wholeNumber(300, 599)),
    retryAfter: {
      want: 'text for the Retry-After header, such as "30"',
      isValid: (value) => typeof value === "string" && /^[\x20-\x7e]*$/.test(value),
    },
    body: oneOf("json", "html"),
    ...scopeFields,
  },
  "revoked-key": scopeFields,
  "body-false": {
    errorCode: {
      want: 'a code of up to 40 letters, digits and _, such as "GSOBJ_1002"',
      isValid: (value) => typeof value === "string" && /^\w{1,40}$/.test(value),
    },
    ...scopeFields,
  },
  "slow-body": { ms: required(milliseconds), ...scopeFields },
  "oversize-body": { bytes: required(wholeNumber(2, 1_073_741_824)), ...scopeFields },
  redirect: scopeFields,
};

const isFaultKind = (kind: unknown): kind is FaultKind => typeof kind === "string" && Object.hasOwn(fieldsByKind, kind);

const quote = (value: unknown): string =>
  value === undefined ? "nothing" : `'${JSON.stringify(value).slice(0, 100)}'`;

const checkField = (name: string, rule: FieldRule, value: unknown): void => {
  if (value === undefined ? !rule.required : rule.isValid(value)) return;
  throw new FaultError(`Cannot use the fault's '${name}': got ${quote(value)}, want ${rule.want}`);
};

// While the socket is closed, no client can send an event or clear the fault: only the time can end it.
const checkRefuseConnections = (value: WireObject): void => {
  const { kind, mode, durationMs, ...rest } = value;
  if (kind !== "outage" || mode !== "refuse") return;
  const [unknownField] = Object.keys(rest);
  if (durationMs !== undefined && unknownField === undefined) return;
  const got = unknownField === undefined ? "no durationMs" : `'${unknownField}'`;
  throw new FaultError(`Cannot refuse connections: got ${got}, want durationMs and nothing else`);
};

const checkFault = (value: unknown): void => {
  const kinds = Object.keys(fieldsByKind).join(", ");
  if (!isWireObject(value))
    throw new FaultError(`Cannot read the fault: want one JSON object with 'kind', one of ${kinds}`);
  const { kind } = value;
  if (!isFaultKind(kind))
    throw new FaultError(`Cannot use the fault's 'kind': got ${quote(kind)}, want one of ${kinds}`);
  const fields = fieldsByKind[kind];
  const unknownField = Object.keys(value).find((name) => name !== "kind" && !Object.hasOwn(fields, name));
  if (unknownField !== undefined) {
    throw new FaultError(
      `Cannot use the fault: got '${unknownField}', ${kind} takes ${Object.keys(fields).join(", ")}`,
    );
  }
  for (const [name, field] of Object.entries(fields)) checkField(name, field, value[name]);
  checkRefuseConnections(value);
};

/** Checks a fault that a client sent as JSON. Throws a FaultError with what was given and what is wanted. */
export const parseFault = (value: unknown): Fault => {
  checkFault(value);
  return value as Fault;
};
