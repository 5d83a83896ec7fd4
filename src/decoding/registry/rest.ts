import { type JsonAnswer, type Send, readJsonAnswer, reasonOf } from "../../outbound/json-answer.ts";

export interface RegistryAddress {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** For a whole answer, in milliseconds; 10 s where absent. */
  readonly timeoutMs?: number;
  /** Knows the way there. */
  readonly fetch?: Send;
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
export function expectOk(target: RegistryAddress, { status, body }: JsonAnswer): JsonAnswer["body"] {
  if (status >= 200 && status <= 299) return body;
  const message = typeof body["message"] === "string" ? `: ${body["message"]}` : "";
  throw new Error(`Cannot use the schema registry at ${hostOf(target)}: got status ${status}${message}`);
}

/** A registry says with `error_code` what it does not have; a 404 without it comes from something else at a wrong address. */
export const isMissing = ({ status, body }: JsonAnswer): boolean => status === 404 && "error_code" in body;

/** One call of the registry's REST API. Throws a sentence where nothing comes back, or nothing that can be used. */
export async function ask(target: RegistryAddress, { method, path, body }: RegistryRequest): Promise<JsonAnswer> {
  const request: Parameters<Send>[1] = {
    method,
    headers: { accept: "application/json", "content-type": CONTENT_TYPE, ...authorization(target) },
    // Neither the password nor a schema travels to an address that nobody has configured.
    redirect: "manual",
    signal: AbortSignal.timeout(target.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  try {
    const response = await (target.fetch ?? fetch)(`${withoutUser(target)}${path}`, request);
    return await readJsonAnswer(response, MAX_ANSWER_BYTES);
  } catch (error) {
    const hint = "is it running, and is SCHEMA_REGISTRY_URL right?";
    throw new Error(`Cannot reach the schema registry at ${hostOf(target)}: ${reasonOf(error)}; ${hint}`, {
      cause: error,
    });
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
