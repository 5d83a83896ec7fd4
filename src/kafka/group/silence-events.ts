import type { Consumer } from "kafkajs";

import type { Silence } from "./silence.ts";

/** The question which broker keeps the group, by kafkajs's name. */
const searchApi = "GroupCoordinator";
/** What is asked of the broker that keeps the group, by kafkajs's names. */
const groupApis = new Set(["JoinGroup", "SyncGroup", "Heartbeat", "OffsetCommit", "LeaveGroup"]);

/**
 * Tells of every sign of life of a consumer. kafkajs emits FETCH also after a pause in which everything was paused and nothing
 * was asked; only REQUEST says that a broker has answered.
 */
export const tellSigns = (consumer: Consumer, silence: Silence): void => {
  const { FETCH_START, FETCH, GROUP_JOIN, REQUEST } = consumer.events;
  consumer.on(FETCH_START, ({ payload }) => silence.fetchStarted(String(payload.nodeId)));
  consumer.on(FETCH, ({ payload }) => silence.fetched(String(payload.nodeId)));
  consumer.on(GROUP_JOIN, () => silence.joined());
  consumer.on(REQUEST, ({ payload }) => {
    silence.clusterAnswered();
    if (payload.apiName === searchApi) silence.searched();
    if (groupApis.has(payload.apiName)) silence.groupAnswered();
  });
};
