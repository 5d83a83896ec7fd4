import { textOf, isWireObject, type WireObject } from "./json.ts";

/** Which events a fault affects: every field given here must equal the event's. */
export interface FaultMatch {
  readonly userId?: string;
  readonly event?: string;
  /** One of groupId, traits.accountId, properties.accountId and context.groupId must equal it. */
  readonly accountId?: string;
  readonly messageId?: string;
  readonly type?: string;
}

/** Which calls a fault affects: all of these must apply. */
export interface FaultScope {
  /** How long the fault lasts; without it, until it is cleared. */
  readonly durationMs?: number;
  /** How many calls it affects. */
  readonly count?: number;
  /** The share of calls that it affects, 0 to 1. */
  readonly ratio?: number;
  readonly match?: FaultMatch;
}

/** Closes the listening socket for that time. */
interface RefuseConnectionsFault {
  readonly kind: "outage";
  readonly mode: "refuse";
  readonly durationMs: number;
}

/** Delays a call by `ms` plus up to `jitterMs`. */
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
      /** The value of the Retry-After header. */
      readonly retryAfter?: string;
      readonly body?: "json" | "html";
    })
  | (FaultScope & { readonly kind: "revoked-key" })
  /** Responds with 200 and `result: false`. */
  | (FaultScope & {
      readonly kind: "body-false";
      /** An error code of Gainsight; default GU_1101. */
      readonly errorCode?: string;
    })
  /** The event is accepted; the end of the response body comes `ms` late. */
  | (FaultScope & { readonly kind: "slow-body"; readonly ms: number })
  /** The event is accepted; the response body has that many bytes. */
  | (FaultScope & { readonly kind: "oversize-body"; readonly bytes: number })
  /** Responds with 302 to the same address. */
  | (FaultScope & { readonly kind: "redirect" });

export type FaultKind = Fault["kind"];

/** A fault that decides the response. */
export type AnsweringFault = Exclude<Fault, RefuseConnectionsFault | LatencyFault>;

/** A fault that only spoils the response: the event is accepted. */
export type SpoilingFault = Extract<AnsweringFault, { readonly kind: "slow-body" | "oversize-body" }>;

/** A fault that responds in place of Gainsight: the event is not accepted. */
export type RefusingFault = Exclude<AnsweringFault, SpoilingFault>;

export const isRefusingConnections = (fault: Fault): fault is RefuseConnectionsFault =>
  fault.kind === "outage" && fault.mode === "refuse";

export const isSpoiling = (fault: AnsweringFault): fault is SpoilingFault =>
  fault.kind === "slow-body" || fault.kind === "oversize-body";

const objectOf = (event: WireObject, field: string): WireObject => {
  const value = event[field];
  return isWireObject(value) ? value : {};
};

const hasAccountId = (event: WireObject, accountId: string): boolean =>
  event["groupId"] === accountId ||
  objectOf(event, "traits")["accountId"] === accountId ||
  objectOf(event, "properties")["accountId"] === accountId ||
  objectOf(event, "context")["groupId"] === accountId;

/** Whether a fault's `match` fits this event. It never fits a call whose body is not a JSON object. */
export const matchesEvent = ({ accountId, ...fields }: FaultMatch, event: WireObject | undefined): boolean => {
  if (event === undefined) return false;
  if (accountId !== undefined && !hasAccountId(event, accountId)) return false;
  return Object.entries(fields).every(([field, wanted]) => textOf(event, field) === wanted);
};
