/**
 * What is repaired in events that producers write otherwise than Segment specifies. Each repair has a name, which is a label
 * of `gainstream_repairs_total`, and a sentence for people.
 */
export const repairTexts = {
  json_text: "`context`, `integrations`, `traits` or `properties` is JSON text: it is parsed",
  connect_envelope: "The event is in an envelope of Kafka Connect, `schema` and `payload`: it is taken out",
  batch:
    "The event is in a batch of Segment's form: it is taken out, and gets the `sentAt`, `context` and `integrations` of the batch",
  json_string: "The event is JSON text in a string: it is parsed",
  cloud_event: "The event is the `data` of a CloudEvent: it is taken out",
  context_json_text:
    "A part of `context` that Segment defines as an object or a list, such as `consent` or `device`, is JSON text: it is parsed",
  integrations_boolean:
    "A value in `integrations` is text or a number that means true or false: it becomes that boolean",
  traits_from_context: "An identify has no `traits`, but `context.traits`: those become its traits too",
  type_case: "`type` is written in another case or with spaces around it: it is written as Segment writes it",
  empty_list: "`context`, `integrations`, `traits` or `properties` is an empty list: it becomes an empty object",
  id_number: "An id is a number: it becomes its exact text",
  time_format:
    "A time of the envelope is not ISO 8601 with a time of day and a zone: it is written so (without a zone: UTC)",
  time_unreadable:
    "A time of the envelope cannot be understood: it stays as it is (that of `timestamp` in `originalTimestamp` if that is free)",
  timestamp_computed: "No `timestamp` that can be understood: it is `receivedAt - (sentAt - originalTimestamp)`",
  timestamp_from_original: "No `timestamp` that can be understood: it is `originalTimestamp`",
  timestamp_from_record: "No `timestamp` that can be understood: it is the time of the Kafka record",
  timestamp_from_received: "No `timestamp` that can be understood, and the record has no time: it is `receivedAt`",
  timestamp_from_sent: "No `timestamp` that can be understood, and the record has no time: it is `sentAt`",
  timestamp_from_clock:
    "No `timestamp` that can be understood, and nothing to tell it by: it is when the event was first processed",
} as const;

export type Repair = keyof typeof repairTexts;

/** Where a step notes what it repaired. */
export type Repairs = Repair[];

/** Notes a repair, once per event. */
export const note = (repairs: Repairs, repair: Repair): void => {
  if (!repairs.includes(repair)) repairs.push(repair);
};
