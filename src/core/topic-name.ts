/**
 * The names that Kafka allows for topics. Kafka also refuses `.` and `..`.
 * Source: https://github.com/apache/kafka/blob/trunk/clients/src/main/java/org/apache/kafka/common/internals/Topic.java
 */
export const topicNamePattern = /^[a-zA-Z0-9._-]{1,249}$/;
