/** What `gainstream send --help` says beyond the options. */
export const sendHelp = `
The first thing to try:
  gainstream send --dry-run --event '{"type":"track","userId":"u1","event":"Order Completed"}'
  gainstream send --event '{"type":"track","userId":"u1","event":"Order Completed"}'

Files of events:
  gainstream send events.jsonl                      one JSON object a line
  gainstream send array.json --topic crm-events     a JSON array, to another topic
  zcat events.jsonl.gz | gainstream send -          standard input, at most 64 MiB
  gainstream send events.jsonl --dry-run --body     by the settings of SETTINGS_FILE: what would Gainsight get?
  gainstream send broken.jsonl --invalid            to see the dead letters

A line may also be a list of events, a batch of Segment's form, an envelope of Kafka Connect, a CloudEvent, or JSON in a
JSON string: each event in it is sent on its own.
An event is sent as it is (user_id and its like as userId, integers beyond 2^53 as text). Only a missing messageId gets
a UUID, and a missing timestamp the time of now.
The record's key is the userId, else the anonymousId, else the groupId. All replicas have it when send is done.
All events are checked before the first one is sent: one that is not JSON or breaks Segment's rules stops them all.

The format is INPUT_FORMAT's: json, avro (AVRO_SCHEMA_FILE) or registry (the newest schema under <topic>-value; where
there is none, AVRO_SCHEMA_FILE is registered). auto means registry where SCHEMA_REGISTRY_URL is set, else json.
The environment is that of \`gainstream run\` (see its --help); no Gainsight key is needed, and for a dry run no Kafka.

Exit codes: 0 done, 1 failed, 64 wrong usage, 78 wrong configuration.`;
