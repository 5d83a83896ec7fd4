import { type Json, type JsonObject, isArray, isObject, isText } from "../../core/json/json.ts";

interface ForeignShape {
  /** Completes "got …" and says what is wanted instead. */
  readonly description: string;
  readonly matches: (object: JsonObject) => boolean;
}

const isOneOf = (value: Json | undefined, ...words: string[]): boolean => isText(value) && words.includes(value);
const firstObjectIn = (value: Json | undefined): JsonObject => {
  const [first] = isArray(value) ? value : [];
  return isObject(first) ? first : {};
};

const wantEventInside = "want the event in it";
const maxwellTypes = ["insert", "update", "delete", "bootstrap-start", "bootstrap-insert", "bootstrap-complete"];

/** The only shape with a `type`, which events have too. */
const maxwell: ForeignShape = {
  description: "a Maxwell change event, want the event itself; use a transformation that sends the row alone",
  matches: ({ database, table, type, ts, data }) =>
    isText(database) && isText(table) && ts !== undefined && isObject(data) && isOneOf(type, ...maxwellTypes),
};

/** Change events of databases, and envelopes of cloud services and log collectors. */
const untypedShapes: readonly ForeignShape[] = [
  {
    description:
      "a Debezium change event, want the event itself; use Debezium's ExtractNewRecordState, or its EventRouter for an outbox",
    matches: ({ op, source, before, after }) =>
      isOneOf(op, "c", "u", "d", "r", "t", "m") &&
      isObject(source) &&
      [before, after, source["connector"]].some((part) => part !== undefined),
  },
  {
    description: `an Amazon EventBridge event, ${wantEventInside}: its \`detail\``,
    matches: (object) => isText(object["detail-type"]) && object["detail"] !== undefined,
  },
  {
    description: `an Amazon SNS notification, ${wantEventInside}; set RawMessageDelivery`,
    matches: ({ Type, TopicArn, Message }) => isText(Type) && isText(TopicArn) && isText(Message),
  },
  {
    description: `the \`Records\` of an AWS service, ${wantEventInside}`,
    matches: ({ Records }) => {
      const { eventSource, EventSource = eventSource } = firstObjectIn(Records);
      return isText(EventSource) && EventSource.startsWith("aws:");
    },
  },
  {
    description: "a self-describing JSON of Snowplow's, want an event of Segment's form",
    matches: ({ schema, data }) => isText(schema) && schema.startsWith("iglu:") && data !== undefined,
  },
  {
    description:
      "a line of Logstash's or Beats', want the event itself; set the output's codec to write the message alone",
    matches: (object) => object["@timestamp"] !== undefined && isText(object["message"]),
  },
  {
    description: `a request of Kafka's REST proxy, ${wantEventInside}: its \`value\``,
    matches: ({ records }) => firstObjectIn(records)["value"] !== undefined,
  },
];

/**
 * Names the kind of an object that is neither an event nor a wrapper that gainstream takes off. Undefined if the kind is not certain.
 */
export function describeForeignShape(object: JsonObject): string | undefined {
  const { type = null } = object;
  return (type === null ? untypedShapes : [maxwell]).find(({ matches }) => matches(object))?.description;
}
