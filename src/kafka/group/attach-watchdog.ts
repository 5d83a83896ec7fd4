import type { Consumer } from "kafkajs";

import type { ConsumerWatchdog } from "./consumer-watchdog.ts";

/** kafkajs's name of the request that asks which broker is the coordinator. */
const findCoordinatorApi = "GroupCoordinator";
/** kafkajs's names of the requests to the coordinator. */
const groupApis = new Set(["JoinGroup", "SyncGroup", "Heartbeat", "OffsetCommit", "LeaveGroup"]);

/**
 * Reports the events of a consumer to its watchdog. kafkajs also emits FETCH if all partitions are paused and it has sent no request;
 * only REQUEST means that a broker has answered.
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
