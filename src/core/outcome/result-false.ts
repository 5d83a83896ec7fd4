/**
 * The body of a 2xx with `result: false`, Gainsight's form of a failure. Its free text is never kept, because it may quote the event.
 */
export interface ResultFalse {
  /** Gainsight's error code; absent if the body has none of the known form. */
  readonly code?: string;
  /** The id by which Gainsight's support can find the call. */
  readonly requestId?: string;
}

/** Source of the codes: https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs, the articles "Error Codes for ...". */
const codePattern = /^(?:GSOBJ|GS_APIG|GU)_[A-Z\d_]{1,24}$/;

/** The form of a UUID or a trace id; no name or address has this form. */
const requestIdPattern = /^[\da-f-]{16,64}$/i;

/** Returns the text if it has the form of a Gainsight code; undefined for any other text, which may hold personal data. */
export const gainsightCodeOf = (text: unknown): string | undefined =>
  typeof text === "string" && codePattern.test(text) ? text : undefined;

/** Returns the text if it has the form of a request id; undefined for any other text. */
export const requestIdOf = (text: unknown): string | undefined =>
  typeof text === "string" && requestIdPattern.test(text) ? text : undefined;

/** Longer prefixes come first. */
const codeFamilies = ["GSOBJ_PEOPLE", "GSOBJ_VCRUDR", "GSOBJ_VDT", "GSOBJ", "GS_APIG", "GU"] as const;

export type CodeFamily = (typeof codeFamilies)[number] | "other";

/** The prefix of a code, from a small fixed set, for metric labels. */
export const codeFamilyOf = (code: string | undefined): CodeFamily =>
  codeFamilies.find((family) => code?.startsWith(family)) ?? "other";
