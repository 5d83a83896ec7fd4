import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import type { Type } from "avsc";

import { readAsJson } from "./decode-avro.ts";

/** What the registry says about one schema id. */
export type Answer =
  | { readonly kind: "avro"; readonly type: Type }
  | { readonly kind: "json" }
  | { readonly kind: "unknown" }
  | { readonly kind: "unsupported"; readonly error: string }
  | { readonly kind: "registry_down"; readonly error: string };

export interface RegistryAccess {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly timeoutMs: number;
}

type ClientOptions = ConstructorParameters<typeof SchemaRegistry>[0];
type Middleware = NonNullable<ClientOptions["middlewares"]>[number];

/** The registry's raw reply, before the client turns it into something else. */
interface Reply {
  status: number;
  body: unknown;
  /** Set when nothing came back at all: the client reports that as status 400. */
  failure: string | undefined;
}

/**
 * Asks for one schema by its id. Never rejects. Every question has a client of its own: the client's cache is unbounded,
 * and a question that hung would be joined by all later ones for the same id.
 */
export async function askForSchema(schemaId: number, access: RegistryAccess): Promise<Answer> {
  const deadline = AbortSignal.timeout(access.timeoutMs);
  const reply: Reply = { status: 0, body: undefined, failure: undefined };
  const schema = await Promise.race([fetchSchema(schemaId, { access, reply, deadline }), whenAborted(deadline)]);
  if (deadline.aborted) reply.failure = `no answer within ${access.timeoutMs} ms`;
  return noSchema(reply, access) ?? answerOf(reply, schema);
}

interface Question {
  readonly access: RegistryAccess;
  readonly reply: Reply;
  readonly deadline: AbortSignal;
}

/** The compiled type, or why there is none; what the registry said is left in the reply. */
async function fetchSchema(schemaId: number, { access, reply, deadline }: Question): Promise<Type | string> {
  const { url, username, password = "" } = access;
  const options: ClientOptions = {
    host: url.replace(/\/+$/, ""),
    clientId: "gainstream",
    // the caller asks again; without this the client would, for seconds
    retry: { retries: 0 },
    middlewares: [record(reply, deadline)],
    ...(username === undefined ? {} : { auth: { username, password } }),
  };
  try {
    const client = new SchemaRegistry(options, { [SchemaType.AVRO]: { typeHook: readAsJson } });
    return (await client.getSchema(schemaId)) as unknown as Type;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function record(reply: Reply, deadline: AbortSignal): Middleware {
  const take = (response: Response): void => {
    const { status, body, failure } = {
      status: response.status(),
      body: response.data<unknown>(),
      failure: response.error(),
    };
    Object.assign(reply, { status, body, failure: failure?.message });
  };
  return () => ({
    prepareRequest: async (next) => (await next()).enhance({ signal: deadline }),
    response: (next) =>
      next().then(
        (response) => {
          take(response);
          return response;
        },
        (response: Response) => {
          take(response);
          throw response;
        },
      ),
  });
}

type Response = Awaited<ReturnType<Parameters<NonNullable<ReturnType<Middleware>["response"]>>[0]>>;

function whenAborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve("timed out"), { once: true });
  });
}

/** Everything that says nothing about the schema: the registry's trouble is never the event's fault. */
function noSchema({ status, body, failure }: Reply, { url }: RegistryAccess): Answer | undefined {
  const down = (got: string): Answer => ({
    kind: "registry_down",
    error: `Cannot ask the schema registry at ${withoutSecrets(url)}: got ${got}, want a schema`,
  });
  if (failure !== undefined) return down(failure);
  // a web server that is no registry also says 404, but not in JSON: then the address is wrong, not the schema id
  if (status === 404 && (typeof body === "object" || body === "")) return { kind: "unknown" };
  if (status < 200 || status > 299) return down(`status ${status}`);
  if (typeof schemaOf(body).schema !== "string") return down("an answer of another kind");
  return undefined;
}

function answerOf({ body }: Reply, schema: Type | string): Answer {
  const { schemaType = "AVRO" } = schemaOf(body);
  if (schemaType === "JSON") return { kind: "json" };
  if (schemaType !== "AVRO") {
    return {
      kind: "unsupported",
      error: `Cannot read a record of schema type ${String(schemaType)}: want AVRO or JSON`,
    };
  }
  if (typeof schema !== "string") return { kind: "avro", type: schema };
  return { kind: "unsupported", error: `Cannot use the record's Avro schema: ${schema}` };
}

function schemaOf(body: unknown): { readonly schema?: unknown; readonly schemaType?: unknown } {
  return typeof body === "object" && body !== null ? body : {};
}

function withoutSecrets(url: string): string {
  return URL.canParse(url) ? `${new URL(url).origin}${new URL(url).pathname}` : "an address that is no URL";
}
