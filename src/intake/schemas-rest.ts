/** As everybody's `fetch`. */
export type RegistryFetch = (
  url: string,
  request: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
    readonly body?: string;
  },
) => Promise<RegistryResponse>;

interface RegistryResponse {
  readonly status: number;
  readonly body: (AsyncIterable<Uint8Array> & { readonly cancel: () => Promise<void> }) | null;
}

export interface RegistryAddress {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** For a whole answer, in milliseconds; 10 s where absent. */
  readonly timeoutMs?: number;
  /** Knows the way there. */
  readonly fetch?: RegistryFetch;
}

export interface RegistryRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: object;
}

export interface RegistryReply {
  readonly status: number;
  /** The JSON object that was answered; empty where it was none. */
  readonly body: Readonly<Record<string, unknown>>;
}

const CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
const DEFAULT_TIMEOUT_MS = 10_000;
/** Schemas are some kilobytes; a registry that sends more than this is cut off. */
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** The body of an answer that says yes; throws the registry's own words otherwise. */
export function expectOk(target: RegistryAddress, { status, body }: RegistryReply): RegistryReply["body"] {
  if (status >= 200 && status <= 299) return body;
  const message = typeof body["message"] === "string" ? `: ${body["message"]}` : "";
  throw new Error(`Cannot use the schema registry at ${hostOf(target)}: got status ${status}${message}`);
}

/** A registry says with `error_code` what it does not have; a 404 without it comes from something else at a wrong address. */
export const isMissing = ({ status, body }: RegistryReply): boolean => status === 404 && "error_code" in body;

/** One call of the registry's REST API. Throws a sentence where nothing comes back, or nothing that can be used. */
export async function ask(target: RegistryAddress, { method, path, body }: RegistryRequest): Promise<RegistryReply> {
  const request: Parameters<RegistryFetch>[1] = {
    method,
    headers: { accept: "application/json", "content-type": CONTENT_TYPE, ...authorization(target) },
    // Neither the password nor a schema travels to an address that nobody has configured.
    redirect: "manual",
    signal: AbortSignal.timeout(target.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  try {
    const response = await (target.fetch ?? fetch)(`${withoutUser(target)}${path}`, request);
    return { status: response.status, body: objectOf(await textOf(response)) };
  } catch (error) {
    const hint = "is it running, and is SCHEMA_REGISTRY_URL right?";
    throw new Error(`Cannot reach the schema registry at ${hostOf(target)}: ${reasonOf(error)}; ${hint}`, {
      cause: error,
    });
  }
}

/** The answer's text. Throws where it is not to be read. */
async function textOf({ status, body }: RegistryResponse): Promise<string> {
  if (status >= 300 && status <= 399) {
    await body?.cancel();
    throw new Error(`got a redirect (status ${status}), which is not followed`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`got an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** fetch says "fetch failed"; what happened is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { code, message } = Object(error.cause) as { readonly code?: unknown; readonly message?: unknown };
  return [code, message].find((text) => typeof text === "string") ?? error.message;
}

function objectOf(text: string): RegistryReply["body"] {
  try {
    return Object(JSON.parse(text)) as RegistryReply["body"];
  } catch {
    return {};
  }
}

function parse({ url }: RegistryAddress): URL {
  if (/^https?:/i.test(url) && URL.canParse(url)) return new URL(url);
  throw new Error("Cannot use the schema registry's address: want a URL such as http://localhost:8081");
}

/** Host and port; the rest of the address may hold a password. */
export const hostOf = (target: RegistryAddress): string => parse(target).host;

function withoutUser(target: RegistryAddress): string {
  const { origin, pathname } = parse(target);
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}

function authorization(target: RegistryAddress): Readonly<Record<string, string>> {
  const { username, password } = parse(target);
  const user = target.username ?? decodeURIComponent(username);
  const secret = target.password ?? decodeURIComponent(password);
  return user === "" ? {} : { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}` };
}
