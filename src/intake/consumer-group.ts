import type { Kafka } from "kafkajs";

import type { Handler } from "../core/decide.ts";
import type { Decoder } from "../decoding/decoder.ts";
import type { ClusterAdmin } from "../kafka/admin.ts";
import { type ConsumerOptions, GroupConsumer } from "../kafka/group/consumer.ts";
import type { Silence } from "../kafka/group/silence.ts";
import type { Stream } from "../pipeline/pipeline.ts";
import type { Clock } from "../pipeline/ports.ts";
import { Commits } from "./commits.ts";
import { Intake, type IntakeOptions } from "./ingest.ts";
import { KnownLogs } from "./known-logs.ts";
import { committableOf, numbersOf } from "./owned-partition.ts";
import { Membership, type MembershipOptions } from "./rebalance.ts";
import { createReader } from "./record-reader.ts";
import type { Clocks } from "./retry-delay.ts";
import { SchemaWait, type SchemaWaitOptions } from "./schema-wait.ts";
import type { StartsOptions } from "./start-offsets.ts";

export interface MemberOptions extends Pick<
  MembershipOptions,
  "pause" | "abort" | "onState" | "onReset" | "onFatal" | "drainLimitMs"
> {
  readonly kafka: Kafka;
  readonly admin: ClusterAdmin;
  readonly stream: Stream;
  readonly clock: Clock & Clocks;
  readonly decoder: Decoder;
  readonly handle: Handler;
  readonly groupId: string;
  readonly sources: readonly string[];
  readonly tiers: readonly { readonly topic: string; readonly delayMs: number }[];
  readonly startFrom: StartsOptions["startFrom"];
  readonly sessionTimeoutMs: number;
  readonly onRegistryHold: SchemaWaitOptions["onHold"];
  readonly mayJoin: ConsumerOptions["mayJoin"];
  /** Why the consumer does not run, while it does not. */
  readonly onProblem: ConsumerOptions["onProblem"];
  readonly onContact: () => void;
  readonly silence: Silence;
  readonly onCommitError: (error: unknown) => void;
  readonly onMetadataShortened: (chars: number) => void;
  readonly isHeldIn: IntakeOptions["isHeldIn"];
  readonly onDoubt: IntakeOptions["onDoubt"];
  readonly onUnreadable: IntakeOptions["onUnreadable"];
}

/** A member of the consumer group, with everything that intake is made of. */
export interface Member {
  readonly consumer: GroupConsumer;
  readonly intake: Intake;
  readonly commits: Commits;
  readonly membership: Membership;
  readonly schemas: SchemaWait;
}

/** Puts the parts of intake together. Nothing is started. */
export const createMember = (options: MemberOptions): Member => {
  const { admin, stream, clock, decoder, groupId, sources, tiers, startFrom } = options;
  const consumer = new GroupConsumer({
    ...options,
    monotonic: clock.monotonic,
    topics: [...sources, ...tiers.map(({ topic }) => topic)],
    tiers: tiers.map(({ topic }) => topic),
    owned: () => numbersOf(intake.feeds),
    beforeJoin: () => membership.beforeJoin(),
    onJoin: (owned) => membership.joined(owned),
    onBatch: (batch, resolve) => intake.take(batch, resolve),
    onFiltered: (place) => intake.skip(place),
    onOutOfRange: (place) => intake.gaps.outOfRange(place),
    onUnreadable: (place) => intake.unreadable.met(place),
  });
  const onReady = (): void => intake.review(["schema"]);
  const { load } = decoder;
  const schemas = new SchemaWait({ ...clock, now: clock.monotonic, load, onHold: options.onRegistryHold, onReady });
  const intake: Intake = new Intake({
    ...clock,
    consumer,
    stream,
    schemas,
    read: createReader({ decoder, handle: options.handle, now: clock.now }),
    isHeldIn: options.isHeldIn,
    onDoubt: options.onDoubt,
    onUnreadable: options.onUnreadable,
    tiers: new Map(tiers.map(({ topic, delayMs }, tier) => [topic, { tier, delayMs }])),
  });
  const commits = new Commits({
    consumer,
    inlets: () => committableOf(intake.feeds),
    onError: options.onCommitError,
    onShortened: options.onMetadataShortened,
  });
  const starts = { admin, groupId, startFrom, known: new KnownLogs() };
  const membership: Membership = new Membership({ ...options, intake, stream, commits, starts });
  return { consumer, intake, commits, membership, schemas };
};
