export interface RegistryAddress {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

export interface RegistryRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: object;
}

export interface RegistryReply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
const TIMEOUT_MS = 10_000;

/** The body of an answer that says yes; throws the registry's own words otherwise. */
export function expectOk(target: RegistryAddress, { status, body }: RegistryReply): RegistryReply["body"] {
  if (status >= 200 && status <= 299) return body;
  const message = typeof body["message"] === "string" ? `: ${body["message"]}` : "";
  throw new Error(`Cannot use the schema registry at ${hostOf(target)}: got status ${status}${message}`);
}

/** One call of the registry's REST API. Throws a sentence where nothing comes back. */
export async function ask(target: RegistryAddress, { method, path, body }: RegistryRequest): Promise<RegistryReply> {
  const init: RequestInit = {
    method,
    headers: { accept: "application/json", "content-type": CONTENT_TYPE, ...authorization(target) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  try {
    const response = await fetch(`${withoutUser(target)}${path}`, init);
    return { status: response.status, body: objectOf(await response.text()) };
  } catch (error) {
    throw new Error(
      `Cannot reach the schema registry at ${hostOf(target)}: ${reasonOf(error)}; is it running, and is SCHEMA_REGISTRY_URL right?`,
      { cause: error },
    );
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1_000} s`;
  const { code } = Object(error.cause) as { readonly code?: unknown };
  return typeof code === "string" ? code : error.message;
}

function objectOf(text: string): RegistryReply["body"] {
  try {
    return Object(JSON.parse(text)) as RegistryReply["body"];
  } catch {
    return {};
  }
}

function parse({ url }: RegistryAddress): URL {
  if (!URL.canParse(url))
    throw new Error("Cannot use the schema registry's address: want a URL such as http://localhost:8081");
  return new URL(url);
}

const hostOf = (target: RegistryAddress): string => parse(target).host;

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
