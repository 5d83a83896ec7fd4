import { type TopicPartition, partitionKey } from "../kafka/topic-partition.ts";
import { type Assignment, createAssignment } from "../pipeline/assignment.ts";
import { type OpenOwnedPartition, type OwnedPartition, createOwnedPartition, isOpen } from "./owned-partition.ts";

/** The partitions of the present assignment. */
export class OwnedPartitions {
  #byKey = new Map<string, OwnedPartition>();
  #assignment: Assignment = createAssignment();

  /**
   * Begins an assignment: replaces all partitions by new ones. `tierOf` returns the index of a retry topic; undefined for a
   * source topic.
   */
  assign(assigned: readonly TopicPartition[], tierOf: (topic: string) => number | undefined): void {
    const created = assigned.map((topicPartition) =>
      createOwnedPartition(topicPartition, tierOf(topicPartition.topic)),
    );
    this.#assignment = createAssignment();
    this.#byKey = new Map(created.map((owned) => [partitionKey(owned), owned]));
  }

  get assignment(): Assignment {
    return this.#assignment;
  }

  find(topicPartition: TopicPartition): OwnedPartition | undefined {
    return this.#byKey.get(partitionKey(topicPartition));
  }

  get all(): readonly OwnedPartition[] {
    return [...this.#byKey.values()];
  }

  get open(): readonly OpenOwnedPartition[] {
    return this.all.filter(isOpen);
  }
}
