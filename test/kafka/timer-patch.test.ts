import { createRequire } from "node:module";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { patchTimer } from "../../src/kafka/timer-patch.ts";

interface Queue {
  throttledUntil: number;
  pending: unknown[];
  inflight: Map<number, unknown>;
  push(request: { entry: { correlationId: number }; expectResponse: boolean; sendRequest: () => void }): void;
  fulfillRequest(response: { correlationId: number; size: number; payload: Buffer }): void;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  destroy(): void;
}

interface QueueClass {
  readonly prototype: { scheduleCheckPendingRequests: () => void };
  new (options: object): Queue;
}

const require = createRequire(import.meta.url);
const RequestQueue = require("kafkajs/src/network/requestQueue") as QueueClass;
const original = RequestQueue.prototype.scheduleCheckPendingRequests;
const ignore = (): void => {};
const logger = { debug: ignore, warn: ignore, error: ignore, info: ignore };

const createQueue = (maxInFlightRequests: number | null = null): Queue =>
  new RequestQueue({
    maxInFlightRequests,
    requestTimeout: 30_000,
    enforceRequestTimeout: false,
    clientId: "test",
    broker: "127.0.0.1:1",
    logger,
  });

const requestOf = (correlationId: number, sent: number[]) => ({
  entry: { correlationId, reject: ignore, resolve: ignore },
  expectResponse: true,
  sendRequest: () => void sent.push(correlationId),
});

const answerOf = (correlationId: number) => ({ correlationId, size: 0, payload: Buffer.alloc(0) });

describe("the timer patch", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    patchTimer();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is still needed: kafkajs's own method sets a timer with nothing to do", () => {
    const queue = createQueue();
    original.call(queue);
    expect(vi.getTimerCount()).toBe(1);
    queue.destroy();
  });

  it("really replaces the method that kafkajs calls, once", () => {
    const patched = RequestQueue.prototype.scheduleCheckPendingRequests;
    expect(patched).not.toBe(original);
    patchTimer();
    expect(RequestQueue.prototype.scheduleCheckPendingRequests).toBe(patched);
  });

  it("sets no timer while there is nothing to send", () => {
    const queue = createQueue();
    const sent: number[] = [];
    queue.checkPendingRequests();
    queue.push(requestOf(1, sent));
    queue.fulfillRequest(answerOf(1));
    expect(sent).toEqual([1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sends requests that waited for a throttling broker when throttling ends", () => {
    const queue = createQueue();
    const sent: number[] = [];
    queue.throttledUntil = Date.now() + 500;
    queue.push(requestOf(1, sent));
    queue.push(requestOf(2, sent));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(499);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([1, 2]);
    queue.fulfillRequest(answerOf(1));
    queue.fulfillRequest(answerOf(2));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sends requests that waited for an answer, and ends its timer when none waits", () => {
    const queue = createQueue(1);
    const sent: number[] = [];
    queue.push(requestOf(1, sent));
    queue.push(requestOf(2, sent));
    expect(sent).toEqual([1]);
    queue.fulfillRequest(answerOf(1));
    expect(sent).toEqual([1, 2]);
    queue.fulfillRequest(answerOf(2));
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(0);
  });
});
