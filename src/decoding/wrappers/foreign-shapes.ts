import { type Json, type JsonObject, isArray, isObject } from "../../core/json/json.ts";

interface ForeignShape {
  /** Completes "got …", and says what is wanted instead. */
  readonly description: string;
  readonly matches: (object: JsonObject) => boolean;
}

const isText = (value: Json | undefined): value is string => typeof value === "string";
const isOneOf = (value: Json | undefined, ...words: string[]): boolean => isText(value) && words.includes(value);
const firstObjectIn = (value: Json | undefined): JsonObject => {
  const [first] = isArray(value) ? value : [];
  return isObject(first) ? first : {};
};

const WANT_EVENT_INSIDE = "want the event in it";
const MAXWELL_TYPES = ["insert", "update", "delete", "bootstrap-start", "bootstrap-insert", "bootstrap-complete"];

/** The one that has a `type`, as an event has. */
const maxwell: ForeignShape = {
  description: "a Maxwell change event, want the event itself; use a transformation that sends the row alone",
  matches: ({ database, table, type, ts, data }) =>
    isText(database) && isText(table) && ts !== undefined && isObject(data) && isOneOf(type, ...MAXWELL_TYPES),
};

/** Change events of databases, and envelopes of clouds and collectors. */
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
    description: `an Amazon EventBridge event, ${WANT_EVENT_INSIDE}: its \`detail\``,
    matches: (object) => isText(object["detail-type"]) && object["detail"] !== undefined,
  },
  {
    description: `an Amazon SNS notification, ${WANT_EVENT_INSIDE}; set RawMessageDelivery`,
    matches: ({ Type, TopicArn, Message }) => isText(Type) && isText(TopicArn) && isText(Message),
  },
  {
    description: `the \`Records\` of an AWS service, ${WANT_EVENT_INSIDE}`,
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
    description: `a request of Kafka's REST proxy, ${WANT_EVENT_INSIDE}: its \`value\``,
    matches: ({ records }) => firstObjectIn(records)["value"] !== undefined,
  },
];

/** What an object is that is neither an event nor a wrapper that is taken off; undefined unless that is certain. */
export function describeForeignShape(object: JsonObject): string | undefined {
  const { type = null } = object;
  return (type === null ? untypedShapes : [maxwell]).find(({ matches }) => matches(object))?.description;
}
