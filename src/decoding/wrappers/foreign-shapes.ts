import { type Json, type JsonObject, isList, isObject } from "../../core/json/json.ts";

interface Shape {
  /** Completes "got …", and says what is wanted instead. */
  readonly name: string;
  readonly isMet: (object: JsonObject) => boolean;
}

const isText = (value: Json | undefined): value is string => typeof value === "string";
const isOneOf = (value: Json | undefined, ...words: string[]): boolean => isText(value) && words.includes(value);
const firstIn = (value: Json | undefined): JsonObject => {
  const [first] = isList(value) ? value : [];
  return isObject(first) ? first : {};
};

const BODY = "want the event in it";
const MAXWELL_TYPES = ["insert", "update", "delete", "bootstrap-start", "bootstrap-insert", "bootstrap-complete"];

/** The one that has a `type`, as an event has. */
const maxwell: Shape = {
  name: "a Maxwell change event, want the event itself; use a transformation that sends the row alone",
  isMet: ({ database, table, type, ts, data }) =>
    isText(database) && isText(table) && ts !== undefined && isObject(data) && isOneOf(type, ...MAXWELL_TYPES),
};

/** Change events of databases, and envelopes of clouds and collectors. */
const untyped: readonly Shape[] = [
  {
    name: "a Debezium change event, want the event itself; use Debezium's ExtractNewRecordState, or its EventRouter for an outbox",
    isMet: ({ op, source, before, after }) =>
      isOneOf(op, "c", "u", "d", "r", "t", "m") &&
      isObject(source) &&
      [before, after, source["connector"]].some((part) => part !== undefined),
  },
  {
    name: `an Amazon EventBridge event, ${BODY}: its \`detail\``,
    isMet: (object) => isText(object["detail-type"]) && object["detail"] !== undefined,
  },
  {
    name: `an Amazon SNS notification, ${BODY}; set RawMessageDelivery`,
    isMet: ({ Type, TopicArn, Message }) => isText(Type) && isText(TopicArn) && isText(Message),
  },
  {
    name: `the \`Records\` of an AWS service, ${BODY}`,
    isMet: ({ Records }) => {
      const { eventSource, EventSource = eventSource } = firstIn(Records);
      return isText(EventSource) && EventSource.startsWith("aws:");
    },
  },
  {
    name: "a self-describing JSON of Snowplow's, want an event of Segment's form",
    isMet: ({ schema, data }) => isText(schema) && schema.startsWith("iglu:") && data !== undefined,
  },
  {
    name: "a line of Logstash's or Beats', want the event itself; set the output's codec to write the message alone",
    isMet: (object) => object["@timestamp"] !== undefined && isText(object["message"]),
  },
  {
    name: `a request of Kafka's REST proxy, ${BODY}: its \`value\``,
    isMet: ({ records }) => firstIn(records)["value"] !== undefined,
  },
];

/** What an object is that is neither an event nor a wrapper that is taken off; undefined unless that is certain. */
export function foreignShape(object: JsonObject): string | undefined {
  const { type = null } = object;
  return (type === null ? untyped : [maxwell]).find(({ isMet }) => isMet(object))?.name;
}
