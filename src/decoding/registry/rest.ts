import {
  type JsonResponse,
  type SendRequest,
  readJsonResponse,
  fetchErrorReason,
} from "../../outbound/json-response.ts";

export interface RegistryConnection {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** For a whole answer, in milliseconds; 10 s where absent. */
  readonly timeoutMs?: number;
  /** Knows the way there. */
  readonly fetch?: SendRequest;
}

export interface RegistryRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: object;
}

const CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
const DEFAULT_TIMEOUT_MS = 10_000;
/** Schemas are some kilobytes; a registry that sends more than this is cut off. */
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** The body of an answer that says yes; throws the registry's own words otherwise. */
export function expectOk(connection: RegistryConnection, { status, body }: JsonResponse): JsonResponse["body"] {
  if (status >= 200 && status <= 299) return body;
  const message = typeof body["message"] === "string" ? `: ${body["message"]}` : "";
  throw new Error(`Cannot use the schema registry at ${registryHostOf(connection)}: got status ${status}${message}`);
}

/** A registry says with `error_code` what it does not have; a 404 without it comes from something else at a wrong address. */
export const isNotFound = ({ status, body }: JsonResponse): boolean => status === 404 && "error_code" in body;

/** One call of the registry's REST API. Throws a sentence where nothing comes back, or nothing that can be used. */
export async function requestRegistry(
  connection: RegistryConnection,
  { method, path, body }: RegistryRequest,
): Promise<JsonResponse> {
  const request: Parameters<SendRequest>[1] = {
    method,
    headers: { accept: "application/json", "content-type": CONTENT_TYPE, ...authorizationHeader(connection) },
    // Neither the password nor a schema travels to an address that nobody has configured.
    redirect: "manual",
    signal: AbortSignal.timeout(connection.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  try {
    const response = await (connection.fetch ?? fetch)(`${baseUrlOf(connection)}${path}`, request);
    return await readJsonResponse(response, MAX_ANSWER_BYTES);
  } catch (error) {
    const hint = "is it running, and is SCHEMA_REGISTRY_URL right?";
    throw new Error(
      `Cannot reach the schema registry at ${registryHostOf(connection)}: ${fetchErrorReason(error)}; ${hint}`,
      {
        cause: error,
      },
    );
  }
}

function parseUrl({ url }: RegistryConnection): URL {
  if (/^https?:/i.test(url) && URL.canParse(url)) return new URL(url);
  throw new Error("Cannot use the schema registry's address: want a URL such as http://localhost:8081");
}

/** Host and port; the rest of the address may hold a password. */
export const registryHostOf = (connection: RegistryConnection): string => parseUrl(connection).host;

function baseUrlOf(connection: RegistryConnection): string {
  const { origin, pathname } = parseUrl(connection);
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}

function authorizationHeader(connection: RegistryConnection): Readonly<Record<string, string>> {
  const { username, password } = parseUrl(connection);
  const user = connection.username ?? decodeURIComponent(username);
  const secret = connection.password ?? decodeURIComponent(password);
  return user === "" ? {} : { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}` };
}
