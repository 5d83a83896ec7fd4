/** A 2xx that is no success by its body: Gainsight's envelope with `result: false`. Its free text may quote the event: it is never kept. */
export interface ResultFalse {
  /** Gainsight's own code, if it has the form of one. */
  readonly code?: string;
  /** What Gainsight's support finds the call by. */
  readonly requestId?: string;
}

/** The lists of codes: https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs, in the articles "Error Codes for ...". */
const codePattern = /^(?:GSOBJ|GS_APIG|GU)_[A-Z\d_]{1,24}$/;

/** A UUID, or the id of a trace: no name or address has this form. */
const requestIdPattern = /^[\da-f-]{16,64}$/i;

/** The text if it is a code of Gainsight's, and not any text that may hold personal data. */
export const knownCode = (text: unknown): string | undefined =>
  typeof text === "string" && codePattern.test(text) ? text : undefined;

/** The text if it is an id of a request, and not any text. */
export const knownRequestId = (text: unknown): string | undefined =>
  typeof text === "string" && requestIdPattern.test(text) ? text : undefined;

/** The longer ones first. */
const families = ["GSOBJ_PEOPLE", "GSOBJ_VCRUDR", "GSOBJ_VDT", "GSOBJ", "GS_APIG", "GU"] as const;

export type CodeFamily = (typeof families)[number] | "other";

/** The kind of a code: a small fixed set, for metrics. */
export const familyOf = (code: string | undefined): CodeFamily =>
  families.find((family) => code?.startsWith(family)) ?? "other";
