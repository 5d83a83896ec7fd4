/**
 * Which topic a commit was made for, as the last section of its metadata: `;@` and Kafka's id of the topic in 22 characters of
 * base64url. A topic of the same name that was made anew has another one.
 */

/** Its text; empty where the cluster does not tell ids. */
export const encodeTopicId = (id: string | undefined): string => (id === undefined ? "" : `;@${id}`);

/** Reads it back from a whole metadata; undefined where it is not there. */
export const decodeTopicId = (metadata: string | null | undefined): string | undefined =>
  /;@([\w-]{22})(?:;|$)/.exec(metadata ?? "")?.[1];
