import kafkajs from "kafkajs";
import { describe, expect, it } from "vitest";

import { isProgrammingError } from "../../src/kafka/own-errors.ts";

const { KafkaJSConnectionError, KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } =
  kafkajs;

const exceeded = (error: Error): Error => new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 9 });
const wrapped = (error: Error): Error => Object.assign(new KafkaJSNonRetriableError(error), { cause: error });
const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:9092"), { code: "ECONNREFUSED" });
const noLeader = new KafkaJSProtocolError(
  Object.assign(new Error("There is no leader"), { type: "LEADER_NOT_AVAILABLE", code: 5, retriable: true }),
);

describe("isProgrammingError()", () => {
  it.each([
    ["a TypeError", new TypeError("x is not a function")],
    ["a RangeError", new RangeError("out of range")],
    ["a ReferenceError", new ReferenceError("x is not defined")],
    ["a SyntaxError", new SyntaxError("Unexpected token")],
    ["a TypeError that kafkajs does not try again", wrapped(new TypeError("x"))],
    ["a TypeError that kafkajs has tried again", exceeded(new TypeError("x"))],
    ["a TypeError that is wrapped twice", wrapped(exceeded(new TypeError("x")))],
    ["a cause of an error of our own", new Error("Cannot read it", { cause: new TypeError("x") })],
    ["what is no error at all", "a word"],
  ])("%s is a mistake of this program", (_, error) => {
    expect(isProgrammingError(error)).toBe(true);
  });

  it.each([
    ["a refused connection", refused],
    ["a broken connection", new KafkaJSConnectionError("Connection error: read ECONNRESET", { code: "ECONNRESET" })],
    ["an answer of the broker", noLeader],
    ["an answer of the broker after many attempts", exceeded(noLeader)],
    ["an answer of the broker that is not tried again", wrapped(noLeader)],
    ["an error of the network inside", wrapped(refused)],
    ["kafkajs's plain Error", new Error("Broker not connected")],
  ])("%s is none", (_, error) => {
    expect(isProgrammingError(error)).toBe(false);
  });
});
