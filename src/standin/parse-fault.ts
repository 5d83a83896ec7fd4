import type { Fault, FaultKind } from "./fault.ts";
import { isWireObject, type WireObject } from "./json.ts";

/** A fault that was asked for wrongly; its message is for the one who asked. */
export class FaultError extends Error {
  override readonly name = "FaultError";
}

interface Field {
  readonly wants: string;
  readonly isRight: (value: unknown) => boolean;
  readonly required?: true;
}

const wholeNumber = (min: number, max: number): Field => ({
  wants: `a whole number from ${min} to ${max}`,
  isRight: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
});

const oneOf = (...names: readonly string[]): Field => ({
  wants: `one of ${names.join(", ")}`,
  isRight: (value) => typeof value === "string" && names.includes(value),
});

const required = (field: Field): Field => ({ ...field, required: true });

const milliseconds = wholeNumber(0, 3_600_000);
const matchFields = ["userId", "event", "accountId", "messageId", "type"];

const scope: Readonly<Record<string, Field>> = {
  durationMs: wholeNumber(1, 86_400_000),
  count: wholeNumber(1, 1_000_000_000),
  ratio: {
    wants: "a number from 0 to 1",
    isRight: (value) => typeof value === "number" && value >= 0 && value <= 1,
  },
  match: {
    wants: `an object of texts with at least one of ${matchFields.join(", ")}`,
    isRight: (value) =>
      isWireObject(value) &&
      Object.keys(value).length > 0 &&
      Object.entries(value).every(([name, text]) => matchFields.includes(name) && typeof text === "string"),
  },
};

const fieldsOf: Readonly<Record<FaultKind, Readonly<Record<string, Field>>>> = {
  outage: { mode: required(oneOf("503", "refuse", "hang", "reset")), ...scope },
  latency: { ms: required(milliseconds), jitterMs: milliseconds, ...scope },
  status: {
    status: required(wholeNumber(300, 599)),
    retryAfter: {
      wants: 'text for the Retry-After header, such as "30"',
      isRight: (value) => typeof value === "string" && /^[\x20-\x7e]*$/.test(value),
    },
    body: oneOf("json", "html"),
    ...scope,
  },
  "revoked-key": scope,
  "body-false": {
    errorCode: {
      wants: 'a code of up to 40 letters, digits and _, such as "GSOBJ_1002"',
      isRight: (value) => typeof value === "string" && /^\w{1,40}$/.test(value),
    },
    ...scope,
  },
  "slow-body": { ms: required(milliseconds), ...scope },
  "oversize-body": { bytes: required(wholeNumber(2, 1_073_741_824)), ...scope },
  redirect: scope,
};

const isFaultKind = (kind: unknown): kind is FaultKind => typeof kind === "string" && Object.hasOwn(fieldsOf, kind);

const quote = (value: unknown): string =>
  value === undefined ? "nothing" : `'${JSON.stringify(value).slice(0, 100)}'`;

const checkField = (name: string, { wants, isRight, required: isRequired }: Field, value: unknown): void => {
  if (value === undefined ? !isRequired : isRight(value)) return;
  throw new FaultError(`Cannot use the fault's '${name}': got ${quote(value)}, want ${wants}`);
};

// While the socket is closed nobody can see the event or clear the fault, so only time can end it.
const checkRefuse = (given: WireObject): void => {
  const { kind, mode, durationMs, ...rest } = given;
  if (kind !== "outage" || mode !== "refuse") return;
  const [stray] = Object.keys(rest);
  if (durationMs !== undefined && stray === undefined) return;
  const got = stray === undefined ? "no durationMs" : `'${stray}'`;
  throw new FaultError(`Cannot refuse connections: got ${got}, want durationMs and nothing else`);
};

const checkFault = (given: unknown): void => {
  const kinds = Object.keys(fieldsOf).join(", ");
  if (!isWireObject(given))
    throw new FaultError(`Cannot read the fault: want one JSON object with 'kind', one of ${kinds}`);
  const { kind } = given;
  if (!isFaultKind(kind))
    throw new FaultError(`Cannot use the fault's 'kind': got ${quote(kind)}, want one of ${kinds}`);
  const fields = fieldsOf[kind];
  const stray = Object.keys(given).find((name) => name !== "kind" && !Object.hasOwn(fields, name));
  if (stray !== undefined) {
    throw new FaultError(`Cannot use the fault: got '${stray}', ${kind} takes ${Object.keys(fields).join(", ")}`);
  }
  for (const [name, field] of Object.entries(fields)) checkField(name, field, given[name]);
  checkRefuse(given);
};

/** Checks a fault that came as JSON. Throws a FaultError that says what was given and what is wanted. */
export const parseFault = (given: unknown): Fault => {
  checkFault(given);
  return given as Fault;
};
