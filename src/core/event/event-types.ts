import type { JsonObject } from "../json/json.ts";
import { addRepair, type Repairs } from "./repairs.ts";

/** The types of event that Gainsight takes. */
const deliveredTypes = ["identify", "track", "group"] as const;
export type DeliveredType = (typeof deliveredTypes)[number];

/** The types of Segment's specification, https://segment.com/docs/connections/spec/. */
export const specTypes: ReadonlySet<unknown> = new Set([...deliveredTypes, "page", "screen", "alias"]);

/**
 * The types that Segment's and RudderStack's libraries send and Gainsight has no use for. Events of these types are skipped.
 * Sources: `page`, `screen`, `alias`: https://github.com/segmentio/analytics-next/blob/master/packages/core/src/events/interfaces.ts;
 * `delete`: https://github.com/segmentio/action-destinations/blob/main/packages/core/src/segment-event.ts;
 * `merge`, `audiencelist`, `extract`: https://github.com/rudderlabs/rudder-server/blob/master/gateway/handle_http.go;
 * `record` (reverse ETL), `reset`: https://github.com/rudderlabs/rudder-transformer/blob/develop/src/constants/index.js.
 * Segment's own reverse ETL sends the ordinary types, such as `track`.
 */
export const builtInSkippedTypes = [
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

const knownTypes: ReadonlySet<string> = new Set([...deliveredTypes, ...builtInSkippedTypes]);

/** Whether Gainsight takes events of this type; the comparison is exact. */
export const isDeliveredType = (type: unknown): type is DeliveredType =>
  type === "identify" || type === "track" || type === "group";

/** The form in which types are compared: lower case, without spaces around it. */
export const toComparableType = (type: string): string => type.trim().toLowerCase();

/**
 * Writes a known type in Segment's lower case: RudderStack's libraries and Avro enums use other cases. An unknown type stays
 * unchanged.
 */
export const normaliseType = (event: JsonObject, repairs: Repairs): JsonObject => {
  const original = event["type"];
  if (typeof original !== "string" || knownTypes.has(original)) return event;
  const type = toComparableType(original);
  if (!knownTypes.has(type)) return event;
  addRepair(repairs, "type_case");
  return { ...event, type };
};
