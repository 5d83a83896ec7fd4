import { type ResultFalse, knownCode, knownRequestId } from "../core/result-false.ts";

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

/** The body of a 2xx as it comes, to see whether it says `result: false`. */
export class SuccessBody {
  readonly #requestId: unknown;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(requestId: unknown) {
    this.#requestId = requestId;
  }

  add(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length <= maxBytes) this.#chunks.push(chunk);
  }

  /** To be asked when the whole body has come. Most bodies are not parsed: nothing in them is `false`. */
  resultFalse(): ResultFalse | undefined {
    if (this.#length < leastBytes || this.#length > maxBytes) return undefined;
    const [first] = this.#chunks;
    const bytes = first?.length === this.#length ? first : Buffer.concat(this.#chunks);
    return bytes.includes("false") ? resultFalseOf(parse(bytes.toString()), this.#requestId) : undefined;
  }
}

/** Undefined if the headers rule it out that the body says `result: false`. */
export const successBodyOf = (headers: ResponseHeaders): SuccessBody | undefined => {
  const { "content-length": length, "content-type": type } = headers;
  if (length !== undefined && !(Number(length) >= leastBytes && Number(length) <= maxBytes)) return undefined;
  if (type !== undefined && !/\bjson\b/i.test(String(type))) return undefined;
  return new SuccessBody(headers["x-gs-request-id"]);
};
