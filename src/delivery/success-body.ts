import { type ResultFalse, knownCode, knownRequestId } from "../core/outcome/result-false.ts";

type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Gainsight's envelopes are a few hundred bytes long. */
const maxBytes = 8 * 1024;
const leastBytes = '{"result":false}'.length;

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
    // A page, or a body that was cut: the status alone counts.
    return undefined;
  }
};

const resultFalseOf = (envelope: Envelope | undefined, header: unknown): ResultFalse | undefined => {
  if (envelope?.result !== false) return undefined;
  const code = knownCode(envelope.errorCode);
  const requestId = knownRequestId(header) ?? knownRequestId(envelope.requestId);
  return { ...(code !== undefined && { code }), ...(requestId !== undefined && { requestId }) };
};

const nothing = Buffer.alloc(0);

const joined = (one: Buffer, other: Buffer): Buffer => (one.length === 0 ? other : Buffer.concat([one, other]));

/** The body of a 2xx as it comes, to see whether it says `result: false`. */
export class SuccessBody {
  readonly #requestId: unknown;
  /** As one piece: a body that trickles in would cost hundreds of bytes for each of its own. Undefined if it is too long. */
  #bytes: Buffer | undefined = nothing;

  constructor(requestId: unknown) {
    this.#requestId = requestId;
  }

  add(chunk: Buffer): void {
    if (this.#bytes === undefined) return;
    const isTooLong = this.#bytes.length + chunk.length > maxBytes;
    this.#bytes = isTooLong ? undefined : joined(this.#bytes, chunk);
  }

  /** To be asked when the whole body has come. Most bodies are not parsed: nothing in them is `false`. */
  resultFalse(): ResultFalse | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined || bytes.length < leastBytes || !bytes.includes("false")) return undefined;
    return resultFalseOf(parse(bytes.toString()), this.#requestId);
  }
}

/** Undefined if the headers rule it out that the body says `result: false`. */
export const successBodyOf = (headers: ResponseHeaders): SuccessBody | undefined => {
  const { "content-length": length, "content-type": type } = headers;
  if (length !== undefined && !(Number(length) >= leastBytes && Number(length) <= maxBytes)) return undefined;
  if (type !== undefined && !/\bjson\b/i.test(String(type))) return undefined;
  return new SuccessBody(headers["x-gs-request-id"]);
};
