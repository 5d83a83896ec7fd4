import type { Consumer } from "kafkajs";

import type { ConsumerWatchdog } from "./silence.ts";

/** The question which broker keeps the group, by kafkajs's name. */
const findCoordinatorApi = "GroupCoordinator";
/** What is asked of the broker that keeps the group, by kafkajs's names. */
const groupApis = new Set(["JoinGroup", "SyncGroup", "Heartbeat", "OffsetCommit", "LeaveGroup"]);

/**
 * Tells of every sign of life of a consumer. kafkajs emits FETCH also after a pause in which everything was paused and nothing
 * was asked; only REQUEST says that a broker has answered.
 */
export const attachWatchdog = (consumer: Consumer, watchdog: ConsumerWatchdog): void => {
  const { FETCH_START, FETCH, GROUP_JOIN, REQUEST } = consumer.events;
  consumer.on(FETCH_START, ({ payload }) => watchdog.onFetchStarted(String(payload.nodeId)));
  consumer.on(FETCH, ({ payload }) => watchdog.onFetched(String(payload.nodeId)));
  consumer.on(GROUP_JOIN, () => watchdog.onJoined());
  consumer.on(REQUEST, ({ payload }) => {
    watchdog.onClusterResponse();
    if (payload.apiName === findCoordinatorApi) watchdog.onCoordinatorLookup();
    if (groupApis.has(payload.apiName)) watchdog.onGroupResponse();
  });
};
