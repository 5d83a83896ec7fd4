import { describe, inject } from "vitest";

import { repairTexts } from "../../src/core/event/repairs.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { frame } from "../../src/decoding/frame.ts";
import { type CaseFile, type ExpectedEvent, caseSettings, foundOf, readCaseFiles, recordTime } from "../case-files.ts";
import { type Letter, createTopics } from "./cluster.ts";
import type { Service } from "./service.ts";
import { type Story, journey, patient, recordCalls } from "./story.ts";

interface Event extends ExpectedEvent {
  /** For example `php line 3`. */
  readonly place: string;
}

interface Written {
  readonly value: Buffer;
  readonly events: readonly Event[];
}

const register = async (subject: string, schema: string): Promise<number> => {
  const answer = await fetch(`${inject("registryUrl")}/subjects/${subject}/versions`, {
    method: "POST",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ schema }),
  });
  const { id, message = "" } = (await answer.json()) as { readonly id?: number; readonly message?: string };
  if (id === undefined) throw new Error(`The registry refuses the schema of ${subject}: ${message}`);
  return id;
};

/** The records of a file as they are in a topic: JSON unchanged, Avro with a schema id. */
const write = async (topic: string, { producer, schema, records }: CaseFile): Promise<readonly Written[]> => {
  const id = schema === undefined ? undefined : await register(`${topic}-${producer}`, schema);
  return records.map(({ line, value, events }) => ({
    value: id === undefined ? value : frame(id, value),
    events: events.map((event) => Object.assign({ place: `${producer} line ${line}` }, event)),
  }));
};

/** A topic of one partition that keeps records of any age. */
const createTopic = async ({ kafka, source }: Story): Promise<string> => {
  const topic = `${source}-cases`;
  const configEntries = [{ name: "retention.ms", value: "-1" }];
  await createTopics(kafka, [{ topic, numPartitions: 1, configEntries }]);
  return topic;
};

const reasonOf = (kind: string, { outcome }: Event): string | undefined =>
  outcome.startsWith(`${kind} `) ? outcome.slice(kind.length + 1) : undefined;

const placeOf = ({ text }: Letter): number =>
  Number(text["gainstream-offset"]) + Number(text["gainstream-index"] ?? 0) / 1_000;

/** The dead letters in the order of their events. */
const deadLettersOf = (letters: readonly Letter[], written: readonly Written[]) =>
  [...letters]
    .sort((a, b) => placeOf(a) - placeOf(b))
    .map(({ text, value }) => ({
      reason: text["gainstream-reason"],
      error: text["gainstream-error"],
      isWhole: written[Number(text["gainstream-offset"])]?.value.equals(value),
    }));

const count = (names: readonly (string | undefined)[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const name of names) if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

/** A metric by one of its labels, without zeros. */
const counted = async (
  service: Service,
  metric: string,
  label: { readonly name: string; readonly of: readonly string[] },
) => {
  const counts: Record<string, number> = {};
  for (const value of label.of) {
    const found = await service.metric(metric, { [label.name]: value });
    if (found > 0) counts[value] = found;
  }
  return counts;
};

describe.concurrent("cases", () => {
  /*
   * One topic holds all records of test/cases, as their producers wrote them: JSON of every kind, and Avro with its
   * schemas. One service reads them all. The calls to Gainsight, the dead letters with their reasons, and the metrics
   * of skipped events and repairs are exactly those in the expected files.
   */
  journey("each event has the outcome in its expected file", async ({ story, expect }) => {
    const topic = await createTopic(story);
    const { url, calls } = await recordCalls(story);
    const written = (await Promise.all((await readCaseFiles()).map((file) => write(topic, file)))).flat();
    await story.produce(
      written.map(({ value }) => ({ value, timestamp: String(recordTime) })),
      topic,
    );
    const env = { GAINSIGHT_URL: url, GAINSIGHT_CONCURRENCY: "1", SETTINGS_FILE: caseSettings, SOURCE_TOPICS: topic };
    const service = await story.start(env);
    await expect.poll(() => story.committed(topic), patient).toEqual([written.length]);

    const events = written.flatMap((record) => record.events);
    const delivered = events.filter((event) => reasonOf("call", event));
    const bodies = calls.map(({ body }) => body as JsonObject);
    expect(bodies.map((body, index) => ({ place: delivered[index]?.place, body }))).toMatchObject(
      delivered.map((event) => ({ place: event.place, body: { type: reasonOf("call", event), ...event.body } })),
    );
    expect(delivered.flatMap(({ without }, index) => foundOf(bodies[index] ?? {}, without))).toEqual([]);

    const dead = events.filter((event) => reasonOf("dead", event));
    expect(deadLettersOf(await story.read(story.deadLetters), written)).toEqual(
      dead.map((event) => ({
        reason: reasonOf("dead", event),
        error: expect.stringContaining(event.error),
        isWhole: true,
      })),
    );

    const skipped = count(events.map((event) => reasonOf("skipped", event)));
    const reasons = { name: "reason", of: Object.keys(skipped) };
    expect(await counted(service, "gainstream_events_total", reasons)).toEqual(skipped);
    const repairs = { name: "repair", of: Object.keys(repairTexts) };
    expect(await counted(service, "gainstream_repairs_total", repairs)).toEqual(
      count(events.flatMap((event) => event.repairs)),
    );
  });
});
