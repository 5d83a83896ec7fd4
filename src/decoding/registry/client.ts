import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avro from "avsc";
import type { Type } from "avsc";

import { toError } from "../../core/to-error.ts";
import type { JsonResponse } from "../../outbound/json-response.ts";
import { jsonTypeHook } from "../avro/avro.ts";
import { requestRegistry, registryHostOf, isNotFound, type RegistryConnection } from "./rest.ts";

/** The registry's answer about one schema id. */
export type SchemaFetchResult =
  | { readonly kind: "avro"; readonly type: Type }
  | { readonly kind: "json" }
  | { readonly kind: "unknown" }
  | { readonly kind: "unsupported"; readonly error: string }
  | { readonly kind: "registry_down"; readonly error: string };

/** The registry does not have the schema; any other failure is a `RegistryDownError`. */
class UnknownSchemaError extends Error {}
class RegistryDownError extends Error {}

type Middleware = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]["middlewares"]>[number];
type ResponseMiddleware = NonNullable<ReturnType<Middleware>["response"]>;

/**
 * Fetches one schema by its id, with the schemas that it refers to. Never rejects.
 *
 * Of `@kafkajs/confluent-schema-registry`, `getSchema` is used: it resolves references and builds the avsc type. Bypassed are its
 * transport (see `createTransport`), its retries, its cache (it has no bound, so every call makes a client of its own), its validation
 * of JSON schemas, and its `decode`, `encode` and `register`. See docs/decisions/0006-avsc-and-registry-client.md.
 */
export async function fetchSchemaById(schemaId: number, connection: RegistryConnection): Promise<SchemaFetchResult> {
  let schemaType: unknown;
  const transport = createTransport(connection, (registryResponse) => {
    schemaType = registryResponse["schemaType"] ?? "AVRO";
  });
  const client = new SchemaRegistry(
    { host: "", retry: { retries: 0 }, middlewares: [transport] },
    // Without `logger: false` the client would write the schema, which comes from outside, to standard error.
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
  // Records of a JSON schema are not validated, so it does not matter whether the client can use the schema.
  if (schemaType === "JSON") return { kind: "json" };
  return {
    kind: "unsupported",
    error: `Cannot use schema ${schemaId}: got type ${String(schemaType)}, want AVRO or JSON`,
  };
}

/**
 * Makes the middleware that sends the client's requests. The client's own transport (mappersmith) has no time-out, never settles if a
 * response breaks off, reports an unreachable registry as status 400, and ends the process by an unhandled rejection on an error whose
 * body is `null`. The last middleware is the outermost one: because it does not call `next`, it replaces all others.
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
        // The client calls only `data()` of a response.
        return { data: () => body } as unknown as Awaited<ReturnType<ResponseMiddleware>>;
      },
    };
  };
}

async function requestSchema(connection: RegistryConnection, path: string): Promise<JsonResponse["body"]> {
  const registryResponse = await requestRegistry(connection, { method: "GET", path }).catch((error: unknown) => {
    throw new RegistryDownError(toError(error).message, { cause: error });
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
