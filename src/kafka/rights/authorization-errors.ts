import { errorTypeOf } from "../error-types.ts";
import type { Resource } from "./rights.ts";

const resourceKinds: Readonly<Record<string, Resource["kind"]>> = {
  TOPIC_AUTHORIZATION_FAILED: "topic",
  GROUP_AUTHORIZATION_FAILED: "group",
  CLUSTER_AUTHORIZATION_FAILED: "cluster",
};

/** What a broker refuses access to. */
export interface Refusal {
  readonly kind: Resource["kind"];
  /** The topic, if the error names it. */
  readonly topic: string | undefined;
}

interface KafkaErrorShape {
  readonly topic?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

const ownRefusalOf = (error: KafkaErrorShape): Refusal | undefined => {
  const kind = resourceKinds[errorTypeOf(error) ?? ""];
  return kind && { kind, topic: typeof error.topic === "string" ? error.topic : undefined };
};

/**
 * The refusal in an error; undefined if the error is none. kafkajs puts the broker's error into `cause`, and those of several topics
 * into `errors`.
 */
export const findRefusal = (error: unknown): Refusal | undefined => {
  if (typeof error !== "object" || error === null) return undefined;
  const { cause, errors }: KafkaErrorShape = error;
  const inner: readonly unknown[] = Array.isArray(errors) ? errors : [];
  return ownRefusalOf(error) ?? [...inner, cause].map(findRefusal).find((refusal) => refusal !== undefined);
};

/** The kind of resource that Kafka refuses access to; undefined if the error is no refusal. */
export const refusedResourceKind = (error: unknown): Resource["kind"] | undefined => findRefusal(error)?.kind;

/** Whether a right is missing. */
export const isAuthorizationError = (error: unknown): boolean => refusedResourceKind(error) !== undefined;
