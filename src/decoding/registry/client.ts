import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avro from "avsc";
import type { Type } from "avsc";

import type { JsonResponse } from "../../outbound/json-response.ts";
import { jsonTypeHook } from "../avro/avro.ts";
import { requestRegistry, registryHostOf, isNotFound, type RegistryConnection } from "./rest.ts";

/** What the registry says about one schema id. */
export type SchemaFetchResult =
  | { readonly kind: "avro"; readonly type: Type }
  | { readonly kind: "json" }
  | { readonly kind: "unknown" }
  | { readonly kind: "unsupported"; readonly error: string }
  | { readonly kind: "registry_down"; readonly error: string };

/** The registry does not know the schema: the id's own trouble, while any other failure is the registry's. */
class UnknownSchemaError extends Error {}
class RegistryDownError extends Error {}

type Middleware = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]["middlewares"]>[number];
type ResponseMiddleware = NonNullable<ReturnType<Middleware>["response"]>;

/**
 * Asks for one schema by its id, those it refers to included. Never rejects. Every question has a client of its own,
 * because the client's cache has no bound.
 */
export async function fetchSchemaById(schemaId: number, connection: RegistryConnection): Promise<SchemaFetchResult> {
  let schemaType: unknown;
  const transport = createTransport(connection, (registryResponse) => {
    schemaType = registryResponse["schemaType"] ?? "AVRO";
  });
  const client = new SchemaRegistry(
    { host: "", retry: { retries: 0 }, middlewares: [transport] },
    // Without a logger: it would write a stranger's schema to standard error.
    { [SchemaType.AVRO]: { typeHook: jsonTypeHook }, [SchemaType.JSON]: { logger: false } },
  );
  try {
    const schema = await client.getSchema(schemaId);
    if (schemaType === "AVRO" && schema instanceof avro.Type) return { kind: "avro", type: schema };
  } catch (error) {
    if (error instanceof UnknownSchemaError) return { kind: "unknown" };
    if (error instanceof RegistryDownError) return { kind: "registry_down", error: error.message };
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
function createTransport(
  connection: RegistryConnection,
  onSchemaBody: (body: JsonResponse["body"]) => void,
): Middleware {
  return () => {
    let path = "";
    return {
      prepareRequest: async (next) => {
        const request = await next();
        path = request.path();
        return request;
      },
      response: async () => {
        const body = await requestSchema(connection, path);
        onSchemaBody(body);
        // Of an answer the client asks for its data only; the rest of its class would be made up.
        return { data: () => body } as unknown as Awaited<ReturnType<ResponseMiddleware>>;
      },
    };
  };
}

async function requestSchema(connection: RegistryConnection, path: string): Promise<JsonResponse["body"]> {
  const registryResponse = await requestRegistry(connection, { method: "GET", path }).catch((error: unknown) => {
    throw new RegistryDownError(error instanceof Error ? error.message : String(error), { cause: error });
  });
  if (isNotFound(registryResponse)) throw new UnknownSchemaError();
  const { status, body } = registryResponse;
  if (status !== 200 || typeof body["schema"] !== "string") {
    throw new RegistryDownError(
      `Cannot use the schema registry at ${registryHostOf(connection)}: got status ${status}, want a schema`,
    );
  }
  return body;
}
