import { textOf, isWireObject, type WireObject } from "./json.ts";

/** Which events a fault is for; every field that is given must be the event's. */
export interface FaultMatch {
  readonly userId?: string;
  readonly event?: string;
  /** Any of groupId, traits.accountId, properties.accountId, context.groupId. */
  readonly accountId?: string;
  readonly messageId?: string;
  readonly type?: string;
}

/** Which calls a fault takes: all of these must hold. */
export interface FaultScope {
  /** How long it lasts; without it, until it is cleared. */
  readonly durationMs?: number;
  /** How many calls it takes. */
  readonly count?: number;
  /** The share of the calls it takes, 0 to 1. */
  readonly ratio?: number;
  readonly match?: FaultMatch;
}

/** The listening socket is closed for that time, for every call. */
interface RefuseConnectionsFault {
  readonly kind: "outage";
  readonly mode: "refuse";
  readonly durationMs: number;
}

/** Waits `ms` plus up to `jitterMs`, then goes on as if nothing were. */
export interface LatencyFault extends FaultScope {
  readonly kind: "latency";
  readonly ms: number;
  readonly jitterMs?: number;
}

export type Fault =
  | (FaultScope & { readonly kind: "outage"; readonly mode: "503" | "hang" | "reset" })
  | RefuseConnectionsFault
  | LatencyFault
  | (FaultScope & {
      readonly kind: "status";
      readonly status: number;
      /** Sent as the Retry-After header, as it is. */
      readonly retryAfter?: string;
      readonly body?: "json" | "html";
    })
  | (FaultScope & { readonly kind: "revoked-key" })
  /** 200 with `result: false`. */
  | (FaultScope & {
      readonly kind: "body-false";
      /** Gainsight's own; GU_1101 unless given. */
      readonly errorCode?: string;
    })
  /** The event is taken; the end of the answer's body comes `ms` late. */
  | (FaultScope & { readonly kind: "slow-body"; readonly ms: number })
  /** The event is taken; the answer's body has that many bytes. */
  | (FaultScope & { readonly kind: "oversize-body"; readonly bytes: number })
  /** 302 to the same address. */
  | (FaultScope & { readonly kind: "redirect" });

export type FaultKind = Fault["kind"];

/** A fault that decides the answer of the calls it takes. */
export type AnsweringFault = Exclude<Fault, RefuseConnectionsFault | LatencyFault>;

/** A fault that only spoils the answer: the event is taken. */
export type SpoilingFault = Extract<AnsweringFault, { readonly kind: "slow-body" | "oversize-body" }>;

/** A fault that answers in place of Gainsight: the event is not taken. */
export type RefusingFault = Exclude<AnsweringFault, SpoilingFault>;

export const isRefusingConnections = (fault: Fault): fault is RefuseConnectionsFault =>
  fault.kind === "outage" && fault.mode === "refuse";

export const isSpoiling = (fault: AnsweringFault): fault is SpoilingFault =>
  fault.kind === "slow-body" || fault.kind === "oversize-body";

const objectOf = (event: WireObject, field: string): WireObject => {
  const value = event[field];
  return isWireObject(value) ? value : {};
};

const isOfAccount = (event: WireObject, accountId: string): boolean =>
  event["groupId"] === accountId ||
  objectOf(event, "traits")["accountId"] === accountId ||
  objectOf(event, "properties")["accountId"] === accountId ||
  objectOf(event, "context")["groupId"] === accountId;

/** Whether a fault's `match` is for this event; a call whose body could not be read is matched by nothing. */
export const matchesEvent = ({ accountId, ...fields }: FaultMatch, event: WireObject | undefined): boolean => {
  if (event === undefined) return false;
  if (accountId !== undefined && !isOfAccount(event, accountId)) return false;
  return Object.entries(fields).every(([field, wanted]) => textOf(event, field) === wanted);
};
