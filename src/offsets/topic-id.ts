/**
 * The last section of a commit's metadata says for which topic the commit was made: `;@` and Kafka's id of the topic, 22 characters
 * of base64url. A topic that was deleted and created again has another id (KIP-516,
 * https://cwiki.apache.org/confluence/display/KAFKA/KIP-516%3A+Topic+Identifiers).
 */

/** Writes the section; empty if the cluster does not report topic ids. */
export const encodeTopicId = (id: string | undefined): string => (id === undefined ? "" : `;@${id}`);

/** Reads the id from a commit's metadata; undefined if it has none. */
export const decodeTopicId = (metadata: string | null | undefined): string | undefined =>
  /;@([\w-]{22})(?:;|$)/.exec(metadata ?? "")?.[1];
