import { createRequire } from "node:module";

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly throttledUntil: number;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
}

interface RequestQueueClass {
  readonly prototype: RequestQueue & { scheduleCheckPendingRequests(): void };
}

const idleCheckMs = 10;

const require = createRequire(import.meta.url);
let isPatched = false;

/**
 * Replaces one method of kafkajs 2.2.4, which sets a timer with a negative delay again and again on every connection. Each idle
 * connection wakes up two thousand times a second, and Node prints a TimeoutNegativeWarning; without the patch the idle CPU load is
 * three times as high. After an update of kafkajs, test/kafka/timer-patch.test.ts fails first.
 */
export const patchTimer = (): void => {
  if (isPatched) return;
  isPatched = true;
  const { prototype } = require("kafkajs/src/network/requestQueue") as RequestQueueClass;
  prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
    if (this.throttleCheckTimeoutId) return;
    const throttledMs = this.throttledUntil - Date.now();
    if (this.pending.length === 0 && throttledMs <= 0) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(throttledMs, idleCheckMs),
    );
  };
};
