import { type ResultFalse, gainsightCodeOf, requestIdOf } from "../core/outcome/result-false.ts";
import type { ResponseHeaders } from "./error-response.ts";

/** Gainsight's envelopes have a few hundred bytes. */
const maxBytes = 8 * 1024;
const minBytes = '{"result":false}'.length;

interface Envelope {
  readonly result?: unknown;
  readonly errorCode?: unknown;
  readonly requestId?: unknown;
}

const parse = (text: string): Envelope | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // A page, or a truncated body: only the status counts.
    return undefined;
  }
};

const resultFalseOf = (envelope: Envelope | undefined, requestIdHeader: unknown): ResultFalse | undefined => {
  if (envelope?.result !== false) return undefined;
  const code = gainsightCodeOf(envelope.errorCode);
  const requestId = requestIdOf(requestIdHeader) ?? requestIdOf(envelope.requestId);
  return { ...(code !== undefined && { code }), ...(requestId !== undefined && { requestId }) };
};

const noBytes = Buffer.alloc(0);

const concatBytes = (first: Buffer, second: Buffer): Buffer =>
  first.length === 0 ? second : Buffer.concat([first, second]);

/** Collects the body of a 2xx, to find out whether it says `result: false`. */
export class SuccessBody {
  readonly #requestIdHeader: unknown;
  /** One buffer: in a list, a body that arrives byte by byte would cost hundreds of bytes for each. Undefined if the body is too long. */
  #bytes: Buffer | undefined = noBytes;

  constructor(requestIdHeader: unknown) {
    this.#requestIdHeader = requestIdHeader;
  }

  add(chunk: Buffer): void {
    if (this.#bytes === undefined) return;
    const isTooLong = this.#bytes.length + chunk.length > maxBytes;
    this.#bytes = isTooLong ? undefined : concatBytes(this.#bytes, chunk);
  }

  /** For a complete body. Most bodies are not parsed, because `false` is nowhere in them. */
  resultFalse(): ResultFalse | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined || bytes.length < minBytes || !bytes.includes("false")) return undefined;
    return resultFalseOf(parse(bytes.toString()), this.#requestIdHeader);
  }
}

/** Undefined if the body cannot say `result: false`, by the headers. */
export const successBodyOf = (headers: ResponseHeaders): SuccessBody | undefined => {
  const { "content-length": length, "content-type": contentType } = headers;
  if (length !== undefined && !(Number(length) >= minBytes && Number(length) <= maxBytes)) return undefined;
  if (contentType !== undefined && !/\bjson\b/i.test(String(contentType))) return undefined;
  return new SuccessBody(headers["x-gs-request-id"]);
};
