import { stat } from "node:fs";

import { describe, expect, it } from "vitest";

import type { CallResult } from "../../src/core/outcome/classify.ts";
import type { HttpClient, HttpClientOptions } from "../../src/delivery/http-client.ts";
import type { Standin } from "../../src/standin/standin.ts";
import { withStandin } from "../standin/with-standin.ts";
import { onRequest, requestOf, send, withClient, withSocket } from "./with-socket.ts";

/** An HTTP client against a stand-in. */
const withBoth = (
  options: Partial<HttpClientOptions>,
  story: (client: HttpClient, standin: Standin) => Promise<void>,
): Promise<void> =>
  withStandin((standin) => withClient({ origin: standin.url, ...options }, (client) => story(client, standin)));

describe("http client", () => {
  it("sends the whole event with the access key, and reports the status", () =>
    withBoth({}, async (client, standin) => {
      expect(await send(client, requestOf("m7"))).toEqual({ kind: "response", status: 200 });
      expect(standin.requests(1)).toMatchObject([{ status: 200, messageId: "m7", userId: "u1" }]);
      expect(await send(client, requestOf("m8", "wrong"))).toEqual({ kind: "response", status: 401, body: "json" });
    }));

  it("reports the result after `send` has returned, also without a connection", () =>
    withBoth({}, async (client) => {
      await client.close();
      let isAnswered = false;
      const answered = new Promise((resolve) => {
        client.send(requestOf(), (answer) => {
          isAnswered = true;
          resolve(answer);
        });
      });
      expect(isAnswered).toBe(false);
      expect(await answered).toMatchObject({ kind: "network", sent: false });
    }));

  it("lets an exception of `onResult` end the process, as every bug of ours does", () =>
    withBoth({}, async (client) => {
      const listeners = process.listeners("uncaughtException");
      process.removeAllListeners("uncaughtException");
      const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
      try {
        client.send(requestOf(), () => {
          throw new Error("A bug");
        });
        expect(await thrown).toMatchObject({ message: "A bug" });
        expect(await send(client, requestOf())).toEqual({ kind: "response", status: 200 });
      } finally {
        process.removeAllListeners("uncaughtException");
        for (const listener of listeners) process.on("uncaughtException", listener);
      }
    }));

  it("gives up on a target that does not answer", () =>
    withBoth({ timeoutMs: 200 }, async (client, standin) => {
      standin.faults.add({ kind: "outage", mode: "hang" });
      expect(await send(client, requestOf())).toEqual({ kind: "timeout", timeoutMs: 200 });
      await standin.faults.clear();
      expect(await send(client, requestOf())).toMatchObject({ status: 200 });
    }));

  it.each([
    ["no byte", ""],
    ["half of the headers", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"],
    ["only an interim response", "HTTP/1.1 102 Processing\r\n\r\n"],
  ])("gives up on a target that sends %s", (_, text) =>
    withSocket(
      (socket) => onRequest(socket, () => socket.write(text)),
      async (client) => expect(await send(client, requestOf())).toEqual({ kind: "timeout", timeoutMs: 200 }),
    ),
  );

  it.each([200, 202, 503])("reports the status %i if the body does not end in time", (status) =>
    withSocket(
      (socket) => onRequest(socket, () => socket.write(`HTTP/1.1 ${status} Some\r\nContent-Length: 99\r\n\r\n{`)),
      async (client) => expect(await send(client, requestOf())).toMatchObject({ kind: "response", status }),
    ),
  );

  it("reports 200 although the response body is slow, and the stand-in has the event", () =>
    withBoth({ timeoutMs: 300 }, async (client, standin) => {
      standin.faults.add({ kind: "slow-body", ms: 60_000 });
      expect(await send(client, requestOf())).toEqual({ kind: "response", status: 200 });
      expect(standin.ledger().distinct).toBe(1);
    }));

  it("cuts off a response that is too long, and continues", () =>
    withBoth({}, async (client, standin) => {
      standin.faults.add({ kind: "oversize-body", bytes: 1_000_000_000, count: 1 });
      expect(await send(client, requestOf("m1"))).toEqual({ kind: "response", status: 200 });
      expect(await send(client, requestOf("m2"))).toEqual({ kind: "response", status: 200 });
      expect(standin.ledger().distinct).toBe(2);
    }));

  it("does not wait for the end of a response that is too long", () =>
    withSocket(
      (socket) =>
        onRequest(socket, () =>
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n${"x".repeat(70_000)}`),
        ),
      async (client) => expect(await send(client, requestOf())).toEqual({ kind: "response", status: 200 }),
      60_000,
    ));

  it.each([
    ["text/html; charset=utf-8", "{}", "html"],
    ["application/json", "<html>", "json"],
    ["application/problem+json", "", "json"],
    ["", "\n <!DOCTYPE html>", "html"],
    ["", '{"result":false}', "json"],
    ["", "Forbidden", undefined],
    ["", "", undefined],
    ["text/plain", "Forbidden", undefined],
  ])("recognises the body of an error response by type %j and first bytes %j: %s", (type, text, body) =>
    withSocket(
      (socket) => {
        const header = type === "" ? "" : `Content-Type: ${type}\r\n`;
        const answer = `HTTP/1.1 403 No\r\n${header}Content-Length: ${text.length}\r\n\r\n${text}`;
        onRequest(socket, () => socket.write(answer));
      },
      async (client) => {
        const expected = { kind: "response", status: 403, ...(body && { body }) };
        expect(await send(client, requestOf())).toEqual(expected);
      },
    ),
  );

  it("asks for no compression, so that the body can be read as it arrives", async () => {
    let sent = "";
    await withSocket(
      (socket) =>
        socket.on("data", (chunk) => {
          sent += chunk.toString();
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }),
      async (client) => expect(await send(client, requestOf())).toEqual({ kind: "response", status: 200 }),
    );
    expect(sent).toMatch(/^POST \/clickstream\/segmentio\/event HTTP\/1\.1\r\n/);
    expect(sent).not.toMatch(/accept-encoding/i);
  });

  it("knows that nothing was sent if the connection is refused", async () => {
    let origin = "";
    await withStandin(async (standin) => {
      origin = standin.url;
    });
    await withClient({ origin }, async (client) => {
      expect(await send(client, requestOf())).toEqual({ kind: "network", code: "ECONNREFUSED", sent: false });
    });
  });

  it("does not know whether anything arrived if the connection is reset", () =>
    withBoth({}, async (client, standin) => {
      standin.faults.add({ kind: "outage", mode: "reset" });
      expect(await send(client, requestOf())).toMatchObject({ kind: "network", sent: true });
    }));

  it("reports a network error if the connection closes silently or sends no HTTP", async () => {
    await withSocket(
      (socket) => onRequest(socket, () => socket.end()),
      async (client) => expect(await send(client, requestOf())).toMatchObject({ kind: "network", sent: true }),
    );
    await withSocket(
      (socket) => onRequest(socket, () => socket.write("SSH-2.0-OpenSSH\r\n")),
      async (client) => expect(await send(client, requestOf())).toMatchObject({ kind: "network", sent: true }),
    );
  });

  it("never takes bytes after a response for the response to the next call", () => {
    const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let connections = 0;
    return withSocket(
      (socket) => {
        const isFirst = connections++ === 0;
        const answer = isFirst ? ok + ok : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
        socket.on("data", () => socket.write(answer));
      },
      async (client) => {
        const second = new Promise((resolve) => {
          client.send(requestOf("m1"), () => client.send(requestOf("m2"), resolve));
        });
        expect(await second).not.toMatchObject({ status: 200 });
        expect(await send(client, requestOf("m3"))).toEqual({ kind: "response", status: 500 });
      },
      2_000,
    );
  });

  it("never reuses a connection that the target closed silently after its response", () =>
    withSocket(
      (socket) => onRequest(socket, () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
      async (client) => {
        const answers: CallResult[] = [];
        await new Promise<void>((resolve) => {
          const next = (): void =>
            client.send(requestOf(), (answer) => {
              answers.push(answer);
              if (answers.length === 20) resolve();
              else next();
            });
          next();
        });
        expect(answers.filter(({ kind }) => kind !== "response").length).toBeLessThanOrEqual(2);
      },
      2_000,
    ));

  it("does not follow a redirect: the access key goes to no other address", () =>
    withBoth({}, async (client, standin) => {
      standin.faults.add({ kind: "redirect" });
      expect(await send(client, requestOf())).toMatchObject({ kind: "response", status: 302 });
      expect(standin.stats().total).toBe(1);
    }));

  it.each([
    ["7", 7_000],
    ["0", 1_000],
    ["86400", 600_000],
    ["Wed, 21 Oct 2015 07:28:00 GMT", 1_000],
    ["soon", undefined],
    ["-5", undefined],
    ["", undefined],
  ])("reads Retry-After %j as %j ms", (retryAfter, retryAfterMs) =>
    withBoth({}, async (client, standin) => {
      standin.faults.add({ kind: "status", status: 429, retryAfter });
      const answer = { kind: "response", status: 429, ...(retryAfterMs !== undefined && { retryAfterMs }) };
      expect(await send(client, requestOf())).toEqual({ ...answer, body: "json" });
    }),
  );

  it("times out calls that wait for a connection, and never sends them afterwards", () =>
    withBoth({ timeoutMs: 200 }, async (client, standin) => {
      standin.faults.add({ kind: "outage", mode: "hang" });
      const answers = await Promise.all(["m1", "m2", "m3"].map((id) => send(client, requestOf(id))));
      expect(answers).toEqual(answers.map(() => ({ kind: "timeout", timeoutMs: 200 })));
      await standin.faults.clear();
      expect(await send(client, requestOf("m4"))).toMatchObject({ status: 200 });
      expect([...standin.ledger().messageIds]).toEqual(["m4"]);
    }));

  it("ends all calls on abort, also those that wait for a connection, and never sends those", () =>
    withBoth({ timeoutMs: 60_000 }, async (client, standin) => {
      standin.faults.add({ kind: "outage", mode: "hang" });
      const calls = ["m1", "m2", "m3"].map((id) => send(client, requestOf(id)));
      client.abortAll();
      const answer = { kind: "aborted" };
      expect(await Promise.all(calls)).toEqual([answer, answer, answer]);
      await standin.faults.clear();
      expect(await send(client, requestOf("m4"))).toMatchObject({ status: 200 });
      expect([...standin.ledger().messageIds]).toEqual(["m4"]);
    }));

  it("reports `aborted` if a call is ended just when its connection breaks: nobody may send it again", () =>
    withSocket(
      (socket) => onRequest(socket, () => socket.destroy()),
      async (client) => {
        const answers: CallResult[] = [];
        const done = new Promise<void>((resolve) => {
          client.send(requestOf("m1"), (answer) => {
            answers.push(answer);
            client.abortAll();
          });
          client.send(requestOf("m2"), (answer) => {
            answers.push(answer);
            resolve();
          });
        });
        await done;
        expect(answers.map(({ kind }) => kind)).toEqual(["network", "aborted"]);
      },
    ));

  it("writes no request after its time-out: the process may have been frozen", () =>
    withBoth({ timeoutMs: 100 }, async (client, standin) => {
      expect(await send(client, requestOf("m1"))).toMatchObject({ status: 200 });
      // From the poll phase undici comes to write before any timer of ours can run.
      const late = await new Promise<{ answer: Promise<unknown> }>((resolve) => {
        stat(".", () => {
          const answer = send(client, requestOf("m2"));
          const until = performance.now() + 300;
          while (performance.now() < until);
          resolve({ answer });
        });
      });
      expect(await late.answer).toEqual({ kind: "timeout", timeoutMs: 100 });
      expect(await send(client, requestOf("m3"))).toMatchObject({ status: 200 });
      expect([...standin.ledger().messageIds]).toEqual(["m1", "m3"]);
    }));

  it("reports a network error after `close`, and does not throw", () =>
    withBoth({}, async (client) => {
      await client.close();
      expect(await send(client, requestOf())).toMatchObject({ kind: "network", sent: false });
    }));

  it("keeps no connection too many after 1,000 calls of all kinds, and none after `close`", async () => {
    const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    // Those of the tests before this one.
    await expect.poll(sockets, { timeout: 10_000 }).toBe(0);
    const connections = 16;
    await withBoth({ timeoutMs: 100 }, async (client, standin) => {
      standin.faults.add({ kind: "outage", mode: "hang", ratio: 0.02 });
      standin.faults.add({ kind: "outage", mode: "reset", ratio: 0.1 });
      standin.faults.add({ kind: "slow-body", ms: 60_000, ratio: 0.02 });
      standin.faults.add({ kind: "oversize-body", bytes: 200_000, ratio: 0.1 });
      standin.faults.add({ kind: "status", status: 503, ratio: 0.3 });
      standin.faults.add({ kind: "latency", ms: 0, jitterMs: 5 });
      const kinds = new Set<string>();
      const work = async (first: number): Promise<void> => {
        for (let call = first; call < 1_000; call += connections)
          kinds.add((await send(client, requestOf(`m${call}`))).kind);
      };
      await Promise.all(Array.from({ length: connections }, (_, first) => work(first)));
      expect([...kinds].toSorted()).toEqual(["network", "response", "timeout"]);
      await standin.faults.clear();
      // Both ends are in this process.
      await expect.poll(sockets, { timeout: 10_000 }).toBeLessThanOrEqual(2 * connections);
      await client.close();
      await expect.poll(sockets, { timeout: 10_000 }).toBe(0);
    });
  }, 60_000);
});
