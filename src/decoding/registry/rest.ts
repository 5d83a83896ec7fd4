import {
  type JsonResponse,
  type SendRequest,
  readJsonResponse,
  fetchErrorReason,
} from "../../outbound/json-response.ts";

/** The address of a registry and how to reach it. A user and a password in the URL count if `username` or `password` is absent. */
export interface RegistryConnection {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** For a whole response, in milliseconds; 10 s if absent. */
  readonly timeoutMs?: number;
  /** Sends the requests, by a proxy and with TLS settings if these are configured; the global `fetch` if absent. */
  readonly fetch?: SendRequest;
}

export interface RegistryRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: object;
}

const contentType = "application/vnd.schemaregistry.v1+json";
const defaultTimeoutMs = 10_000;
/** Schemas have some kilobytes. A longer response is cut off. */
const maxAnswerBytes = 10 * 1024 * 1024;

/** Returns the body of a 2xx response; throws an Error with the registry's own message otherwise. */
export function expectOk(connection: RegistryConnection, { status, body }: JsonResponse): JsonResponse["body"] {
  if (status >= 200 && status <= 299) return body;
  const message = typeof body["message"] === "string" ? `: ${body["message"]}` : "";
  throw new Error(`Cannot use the schema registry at ${registryHostOf(connection)}: got status ${status}${message}`);
}

/** Whether the registry says that a schema or a subject does not exist. A 404 without `error_code` comes from another server. */
export const isNotFound = ({ status, body }: JsonResponse): boolean => status === 404 && "error_code" in body;

/**
 * Makes one call of the registry's REST API. Returns a response of any status; throws a sentence if no response arrives or its body is
 * no JSON object.
 */
export async function requestRegistry(
  connection: RegistryConnection,
  { method, path, body }: RegistryRequest,
): Promise<JsonResponse> {
  const request: Parameters<SendRequest>[1] = {
    method,
    headers: { accept: "application/json", "content-type": contentType, ...authorizationHeader(connection) },
    // A redirect would send the password to an address that is not configured.
    redirect: "manual",
    signal: AbortSignal.timeout(connection.timeoutMs ?? defaultTimeoutMs),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  try {
    const response = await (connection.fetch ?? fetch)(`${baseUrlOf(connection)}${path}`, request);
    return await readJsonResponse(response, maxAnswerBytes);
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

/** The host and the port of the registry, for messages; the rest of the URL may hold a password. */
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
