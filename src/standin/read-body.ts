import type { IncomingMessage } from "node:http";

/** The largest body of a request: 1 MiB. */
export const bodyLimitBytes = 1_048_576;

export type Body = { readonly kind: "read"; readonly text: string } | { readonly kind: "too_large" };

/**
 * Reads the body of a request and calls `onBody` once; never, if the client disconnects before the end. A body above the
 * limit is read to its end and thrown away, so that the client can receive the response.
 */
export const readBody = (req: IncomingMessage, onBody: (body: Body) => void): void => {
  let chunks: Buffer[] = [];
  let bytes = 0;
  req.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bodyLimitBytes) chunks = [];
    else chunks.push(chunk);
  });
  req.on("end", () => {
    if (bytes > bodyLimitBytes) return onBody({ kind: "too_large" });
    const [first] = chunks;
    const whole = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
    onBody({ kind: "read", text: whole.toString("utf8") });
  });
};
