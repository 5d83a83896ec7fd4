/**
 * The repairs that gainstream makes to events whose form differs from Segment's specification. The name of a repair is a label value of
 * `gainstream_repairs_total`. Its sentence stands in schemas/README.md and in the report of `gainstream send --dry-run`; it says what
 * gainstream does.
 */
export const repairTexts = {
  json_text: "Parses `context`, `integrations`, `traits` or `properties` if it is JSON text",
  connect_envelope: "Takes the event out of the `payload` of a Kafka Connect envelope",
  batch: "Takes the events out of a Segment batch and gives them its `sentAt`, `context` and `integrations`",
  json_string: "Parses an event that is a string with JSON text in it",
  cloud_event: "Takes the event out of the `data` of a CloudEvent",
  context_json_text:
    "Parses a part of `context` that Segment defines as an object or a list, such as `consent` or `device`, if it is JSON text",
  integrations_boolean: "Converts a text or a number in `integrations` that means true or false to that boolean",
  traits_from_context: "Copies `context.traits` to `traits` if an identify has no `traits`",
  type_case: "Writes `type` as Segment writes it if the case differs or spaces surround it",
  empty_list: "Replaces an empty list in `context`, `integrations`, `traits` or `properties` by an empty object",
  id_number: "Converts an id that is a number to its exact text",
  time_format:
    "Writes a time of the envelope as ISO 8601 with a time of day, in UTC; a time without a zone is read as UTC",
  time_unreadable:
    "Keeps a time of the envelope that cannot be parsed; a `timestamp` moves to `originalTimestamp` if that is free",
  timestamp_computed: "Sets a missing or unreadable `timestamp` to `receivedAt - (sentAt - originalTimestamp)`",
  timestamp_from_original: "Sets a missing or unreadable `timestamp` to `originalTimestamp`",
  timestamp_from_record: "Sets a missing or unreadable `timestamp` to the time of the Kafka record",
  timestamp_from_received:
    "Sets a missing or unreadable `timestamp` to `receivedAt`, because the Kafka record has no time",
  timestamp_from_sent: "Sets a missing or unreadable `timestamp` to `sentAt`, because the Kafka record has no time",
  timestamp_from_clock:
    "Sets a missing or unreadable `timestamp` to the time at which gainstream first processed the event",
} as const;

export type Repair = keyof typeof repairTexts;

/** The repairs of one event so far. The steps add to it with `addRepair`. */
export type Repairs = Repair[];

/** Adds a repair unless the event has it already. */
export const addRepair = (repairs: Repairs, repair: Repair): void => {
  if (!repairs.includes(repair)) repairs.push(repair);
};
