/** What `gainstream send --help` says beyond the options. */
export const sendHelp = `
The first thing to try:
  gainstream send --dry-run --event '{"type":"track","userId":"u1","event":"Order Completed"}'
  gainstream send --event '{"type":"track","userId":"u1","event":"Order Completed"}'

Files of events:
  gainstream send events.jsonl                      one JSON object a line
  gainstream send array.json --topic crm-events     a JSON array, to another topic
  gainstream send one.jsonl two.jsonl               several files, one after the other
  zcat events.jsonl.gz | gainstream send -          standard input, at most 64 MiB
  gainstream send *.jsonl --dry-run                 what would the service do with each event, and why?
  gainstream send events.jsonl --dry-run --body     by the settings of SETTINGS_FILE: what would Gainsight get?
  gainstream send broken.jsonl --invalid            to see the dead letters

A line may also be a list of events, a batch of Segment's form, an envelope of Kafka Connect, a CloudEvent, or JSON in a
JSON string: each event in it is sent on its own.
To a topic of JSON an event goes as it is, and the service repairs it; Avro gets the event repaired. Only a missing
messageId gets a UUID, and an event without any time the timestamp of now.
The record's key is the userId, else the anonymousId, else the groupId. All replicas have it when send is done.
All events of all files are checked before the first one is sent: one that is not JSON or breaks Segment's rules stops
them all.

A dry run prints the outcome of each event, the reason, and the names of its repairs. At the end it counts all events by
outcome and by repair, and says what each repair is. It ends with 1 if a line holds no event, or one that Avro cannot hold.

The format is INPUT_FORMAT's: json, avro (AVRO_SCHEMA_FILE) or registry (the newest schema under <topic>-value; where
there is none, AVRO_SCHEMA_FILE is registered). auto means registry where SCHEMA_REGISTRY_URL is set, else json.
The environment is that of \`gainstream run\` (see its --help); no Gainsight key is needed, and for a dry run no Kafka.

Exit codes: 0 done, 1 failed, 64 wrong usage, 78 wrong configuration.`;
