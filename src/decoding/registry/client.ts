import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avro from "avsc";
import type { Type } from "avsc";

import type { JsonAnswer } from "../../outbound/json-answer.ts";
import { readAsJson } from "../avro/avro.ts";
import { ask, hostOf, isMissing, type RegistryAddress } from "./rest.ts";

/** What the registry says about one schema id. */
export type Answer =
  | { readonly kind: "avro"; readonly type: Type }
  | { readonly kind: "json" }
  | { readonly kind: "unknown" }
  | { readonly kind: "unsupported"; readonly error: string }
  | { readonly kind: "registry_down"; readonly error: string };

/** The registry does not know the schema: the id's own trouble, while any other failure is the registry's. */
class UnknownSchema extends Error {}
class RegistryDown extends Error {}

type Middleware = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]["middlewares"]>[number];
type ResponseStep = NonNullable<ReturnType<Middleware>["response"]>;

/**
 * Asks for one schema by its id, those it refers to included. Never rejects. Every question has a client of its own,
 * because the client's cache has no bound.
 */
export async function askForSchema(schemaId: number, address: RegistryAddress): Promise<Answer> {
  let schemaType: unknown;
  const transport = createTransport(address, (reply) => {
    schemaType = reply["schemaType"] ?? "AVRO";
  });
  const client = new SchemaRegistry(
    { host: "", retry: { retries: 0 }, middlewares: [transport] },
    // Without a logger: it would write a stranger's schema to standard error.
    { [SchemaType.AVRO]: { typeHook: readAsJson }, [SchemaType.JSON]: { logger: false } },
  );
  try {
    const schema = await client.getSchema(schemaId);
    if (schemaType === "AVRO" && schema instanceof avro.Type) return { kind: "avro", type: schema };
  } catch (error) {
    if (error instanceof UnknownSchema) return { kind: "unknown" };
    if (error instanceof RegistryDown) return { kind: "registry_down", error: error.message };
    if (schemaType === "AVRO")
      return { kind: "unsupported", error: `Cannot use Avro schema ${schemaId}: ${String(error)}` };
  }
  // what the client makes of a JSON schema does not matter: its records are read, not validated
  if (schemaType === "JSON") return { kind: "json" };
  return {
    kind: "unsupported",
    error: `Cannot use schema ${schemaId}: got type ${String(schemaType)}, want AVRO or JSON`,
  };
}

/**
 * Carries the client's requests. Its own way has no time-out, never settles when an answer breaks off, reports an
 * unreachable registry as status 400, and ends the process by an unhandled rejection on an error whose body is `null`.
 * The last middleware is the outermost: by not calling `next` it replaces all the others.
 */
function createTransport(address: RegistryAddress, onReply: (body: JsonAnswer["body"]) => void): Middleware {
  return () => {
    let path = "";
    return {
      prepareRequest: async (next) => {
        const request = await next();
        path = request.path();
        return request;
      },
      response: async () => {
        const body = await fetchSchema(address, path);
        onReply(body);
        // Of an answer the client asks for its data only; the rest of its class would be made up.
        return { data: () => body } as unknown as Awaited<ReturnType<ResponseStep>>;
      },
    };
  };
}

async function fetchSchema(address: RegistryAddress, path: string): Promise<JsonAnswer["body"]> {
  const reply = await ask(address, { method: "GET", path }).catch((error: unknown) => {
    throw new RegistryDown(error instanceof Error ? error.message : String(error), { cause: error });
  });
  if (isMissing(reply)) throw new UnknownSchema();
  const { status, body } = reply;
  if (status !== 200 || typeof body["schema"] !== "string") {
    throw new RegistryDown(`Cannot use the schema registry at ${hostOf(address)}: got status ${status}, want a schema`);
  }
  return body;
}
