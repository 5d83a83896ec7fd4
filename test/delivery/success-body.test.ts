import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { describe, expect, it } from "vitest";

import type { CallResult } from "../../src/core/outcome/classify.ts";
import { SuccessBody } from "../../src/delivery/success-body.ts";
import { onRequest, requestOf, send, withSocket } from "./with-socket.ts";

const requestId = "0d2e8a52-4f0c-4a6b-9a3a-0c8f6f1c5d11";
const refusal = JSON.stringify({
  result: false,
  errorCode: "GSOBJ_1002",
  errorDesc: "Email = anna",
  requestId,
  data: null,
});
const resultFalse = { code: "GSOBJ_1002", requestId };
const json = "Content-Type: application/json;charset=UTF-8\r\n";
const sized = (text: string): string => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
const chunked = (text: string, size: number): string => {
  const chunks = text.match(new RegExp(`.{1,${size}}`, "gs")) ?? [];
  const framed = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  return `Transfer-Encoding: chunked\r\n\r\n${framed.join("")}0\r\n\r\n`;
};
/** The result of a 200 with these headers and this body, sent in pieces of so many bytes. */
const answerTo = async (
  text: string,
  { status = 200, pieces = text.length + 100, ends = false } = {},
): Promise<CallResult> => {
  const whole = `HTTP/1.1 ${status} Some\r\n${text}`;
  let answer: CallResult | undefined;
  await withSocket(
    (socket) =>
      onRequest(socket, () => {
        socket.setNoDelay();
        for (let at = 0; at < whole.length; at += pieces) socket.write(whole.slice(at, at + pieces));
        if (ends) socket.end();
      }),
    async (client) => {
      answer = await send(client, requestOf());
    },
  );
  if (!answer) throw new Error("No answer");
  return answer;
};

describe("the body of a 2xx", () => {
  it.each<[string, string, object?]>([
    ["in one piece", json + sized(refusal)],
    ["with spaces", json + sized('{ "result" : false , "errorCode" : "GSOBJ_1002" }'), { code: "GSOBJ_1002" }],
    ["without a type", sized(refusal)],
    [
      "with the id in a header",
      `${json}x-gs-request-id: 4bf92f3577b34da6\r\n${sized(refusal)}`,
      { code: "GSOBJ_1002", requestId: "4bf92f3577b34da6" },
    ],
    [
      "with a code and an id that may be personal",
      json + sized('{"result":false,"errorCode":"anna","requestId":"a@b.c"}'),
      {},
    ],
    ["with nothing else", json + sized('{"result":false}'), {}],
    ["in chunks of 1 byte", json + chunked(refusal, 1)],
    ["in chunks of 7 bytes", json + chunked(refusal, 7)],
    ["in one chunk", json + chunked(refusal, 10_000)],
    ["of 8,192 bytes", json + sized(refusal.padEnd(8_192))],
  ])("reads result: false from the body of a 2xx, %s", async (_, text, expected = resultFalse) => {
    expect(await answerTo(text)).toEqual({ kind: "response", status: 200, resultFalse: expected });
  });

  it.each([1, 2, 3, 5, 11])("reads it in pieces of any size: %i", async (pieces) => {
    expect(await answerTo(json + chunked(refusal, 13), { pieces })).toMatchObject({ status: 200, resultFalse });
    expect(await answerTo(json + sized(refusal), { pieces, status: 202 })).toMatchObject({ status: 202, resultFalse });
  });

  it.each<[string, string, { status?: number; ends?: boolean }?]>([
    ["says true", json + sized(refusal.replace("false", "true"))],
    ["says it as text", json + sized(refusal.replace("false", '"false"'))],
    ["says it at a deeper level", json + sized('{"result":true,"data":{"result":false}}')],
    ["is a list", json + sized('[{"result":false}]')],
    ["is only the word", json + sized("false".padStart(20))],
    ["is not JSON", json + sized(refusal.slice(0, -1))],
    ["is of another type", `Content-Type: text/html\r\n${sized(refusal)}`],
    ["is longer than 8 KB", json + sized(refusal.padEnd(8_193))],
    ["is longer than 8 KB, in chunks", json + chunked(refusal.padEnd(8_193), 1_000)],
    ["does not end in time", `${json}Content-Length: 999\r\n\r\n${refusal}`],
    ["has no last chunk", (json + chunked(refusal, 99)).replace(/0\r\n\r\n$/, "")],
    ["breaks off", `${json}Content-Length: 999\r\n\r\n${refusal}`, { ends: true }],
    ["breaks off within its chunks", (json + chunked(refusal, 99)).replace(/0\r\n\r\n$/, ""), { ends: true }],
    ["is broken in its framing", `${json}Transfer-Encoding: chunked\r\n\r\nfff\r\n${refusal}zz\r\n`],
  ])("only the status counts if the body of a 2xx %s", async (_, text, how) => {
    expect(await answerTo(text, how)).toEqual({ kind: "response", status: 200 });
  });

  it("keeps no single pieces of a body that arrives byte by byte: each costs far more than its bytes", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const body = new SuccessBody(undefined);
    const pieces = Array.from(refusal, (letter) => {
      const piece = Buffer.from(letter);
      body.add(piece);
      return new WeakRef(piece);
    });
    await setImmediate();
    collectGarbage();
    expect(pieces.filter((piece) => piece.deref() !== undefined)).toEqual([]);
    expect(body.resultFalse()).toEqual(resultFalse);
  });

  it("does not look for result: false in an error response", async () => {
    expect(await answerTo(json + sized(refusal), { status: 400 })).toEqual({
      kind: "response",
      status: 400,
      body: "json",
    });
  });

  it("reads a body that ends with the connection", async () => {
    expect(await answerTo(`${json}Connection: close\r\n\r\n${refusal}`, { ends: true })).toMatchObject({ resultFalse });
  });
});
