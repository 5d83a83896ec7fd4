import { typesOf } from "../error-types.ts";

interface TopicSetting {
  readonly name: string;
  readonly value: string;
}

/** What waits or rests in a topic of ours must neither vanish by time or size nor be compacted, whatever the cluster's defaults are. */
const keepEverything: readonly TopicSetting[] = [
  { name: "cleanup.policy", value: "delete" },
  { name: "retention.ms", value: "-1" },
  { name: "retention.bytes", value: "-1" },
];

/** A batch stays as it was written. Packed anew with the cluster's own codec, one that just fitted could be too large. */
const asWritten: TopicSetting = { name: "compression.type", value: "producer" };

/** The settings to make a topic of ours with; the next ones if the cluster refuses those before. Some hosted ones choose the codec. */
export const topicSettings: readonly (readonly TopicSetting[])[] = [[...keepEverything, asWritten], keepEverything];

/** How clusters say it, hosted ones among them. */
const refusals: ReadonlySet<string> = new Set(["INVALID_CONFIG", "POLICY_VIOLATION", "INVALID_REQUEST"]);

/** Whether a topic was refused because of its settings; kafkajs hides the reasons of several topics in `errors`. */
export const refusesSettings = (error: unknown): boolean => {
  const { errors } = (error ?? {}) as { readonly errors?: unknown };
  const all: readonly unknown[] = Array.isArray(errors) ? errors : [error];
  return all.flatMap(typesOf).some((type) => refusals.has(type));
};
