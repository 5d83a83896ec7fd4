import type { JsonObject } from "../json/json.ts";
import type { Repairs } from "./repairs.ts";

export const deliveredTypes: ReadonlySet<string> = new Set(["identify", "track", "group"]);

/**
 * The types that Segment's and RudderStack's libraries know and Gainsight has no use for.
 * Sources: `page`, `screen`, `alias`: https://github.com/segmentio/analytics-next/blob/master/packages/core/src/events/interfaces.ts;
 * `delete`: https://github.com/segmentio/action-destinations/blob/main/packages/core/src/segment-event.ts;
 * `merge`, `audiencelist`, `extract`: https://github.com/rudderlabs/rudder-server/blob/master/gateway/handle_http.go;
 * `record` (reverse ETL), `reset`: https://github.com/rudderlabs/rudder-transformer/blob/develop/src/constants/index.js.
 * Segment's own reverse ETL sends `track` and the like.
 */
export const skippedTypes = [
  "page",
  "screen",
  "alias",
  "delete",
  "merge",
  "audiencelist",
  "extract",
  "record",
  "reset",
] as const;

const knownTypes: ReadonlySet<string> = new Set([...deliveredTypes, ...skippedTypes]);

/** A type as it is compared: case and spaces around it do not count. */
export const plainType = (type: string): string => type.trim().toLowerCase();

/** Writes a known type as Segment does: RudderStack and enums of Avro vary the case. What nobody knows stays as it is. */
export const normalType = (event: JsonObject, repairs: Repairs): JsonObject => {
  const given = event["type"];
  if (typeof given !== "string" || knownTypes.has(given)) return event;
  const type = plainType(given);
  if (!knownTypes.has(type)) return event;
  repairs.push("type_case");
  return { ...event, type };
};
