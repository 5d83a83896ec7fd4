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
} as const;

export type Repair = keyof typeof repairTexts;

/** Where a step notes what it repaired. */
export type Repairs = Repair[];
