import { errorTypesOf } from "../error-types.ts";

interface TopicSetting {
  readonly name: string;
  readonly value: string;
}

/** Whatever the cluster's defaults are, no record of a retry topic or the dead-letter topic is deleted by age or size, or compacted. */
const keepEverything: readonly TopicSetting[] = [
  { name: "cleanup.policy", value: "delete" },
  { name: "retention.ms", value: "-1" },
  { name: "retention.bytes", value: "-1" },
];

/** The broker keeps a batch as it was written. If it compressed it again with its own codec, the batch could become too large. */
const producerCompression: TopicSetting = { name: "compression.type", value: "producer" };

/** The settings of a topic that the service creates. If the cluster refuses one set, the next is tried: some hosted clusters choose the codec. */
export const topicSettingsFallbacks: readonly (readonly TopicSetting[])[] = [
  [...keepEverything, producerCompression],
  keepEverything,
];

/** The errors by which clusters, hosted ones too, refuse a topic's settings. */
const settingsErrorTypes: ReadonlySet<string> = new Set(["INVALID_CONFIG", "POLICY_VIOLATION", "INVALID_REQUEST"]);

/** Whether the cluster refused to create topics because of their settings. kafkajs puts one error per topic into `errors`. */
export const isSettingsRefusal = (error: unknown): boolean => {
  const { errors } = (error ?? {}) as { readonly errors?: unknown };
  const causes: readonly unknown[] = Array.isArray(errors) ? errors : [error];
  return causes.flatMap(errorTypesOf).some((type) => settingsErrorTypes.has(type));
};
