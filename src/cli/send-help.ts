/** The part of `gainstream send --help` after the options. */
export const sendHelp = `
To begin:
  gainstream send --dry-run --event '{"type":"track","userId":"u1","event":"Order Completed"}'
  gainstream send --event '{"type":"track","userId":"u1","event":"Order Completed"}'

Files of events:
  gainstream send events.jsonl                      one JSON object a line
  gainstream send array.json --topic crm-events     a JSON array, to another topic
  gainstream send one.jsonl two.jsonl               several files, one after the other
  zcat events.jsonl.gz | gainstream send -          standard input, at most 64 MiB
  gainstream send *.jsonl --dry-run                 print what the service would do with each event, and why
  gainstream send events.jsonl --dry-run --body     print what Gainsight would get, with the settings of SETTINGS_FILE
  gainstream send broken.jsonl --invalid            send invalid events, to see the dead letters

A line can also be a list of events, a Segment batch, a Kafka Connect envelope, a CloudEvent, or JSON in a JSON string.
The command sends each event in it separately.
A topic of JSON gets the event unchanged, and the service repairs it. A topic of Avro gets the repaired event.
An event without a messageId gets a UUID; an event without any time gets the present time as its timestamp.
The key of the record is the userId, otherwise the anonymousId, otherwise the groupId.
The command checks all events before it sends the first one. If an event is not JSON or breaks Segment's rules, the
command sends nothing. It ends after all replicas have all records.

A dry run prints the outcome of each event, its reason, and the names of its repairs. At the end it counts the events by
outcome and by repair, and explains each repair. The exit code is 1 if a line has no event, or one that Avro cannot hold.

INPUT_FORMAT sets the format: json, avro (AVRO_SCHEMA_FILE) or registry (the latest schema of <topic>-value; if there is
none, the command registers AVRO_SCHEMA_FILE). auto is registry if SCHEMA_REGISTRY_URL is set, otherwise json.
The environment is that of \`gainstream run\` (see its --help), without the Gainsight key; a dry run needs no Kafka either.

Exit codes: 0 done, 1 failed, 64 wrong usage, 78 wrong configuration.`;
