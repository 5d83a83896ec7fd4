import { type AddressInfo, type Server, type Socket, createServer } from "node:net";

/** A broker's end of a connection: accepts every log-in, and answers every other request with an empty answer. */
export interface SaslWire {
  readonly port: number;
  /** The keys of the requests in the order of their arrival. */
  readonly keys: readonly number[];
  /** Called for each request before the answer. */
  onRequest: (apiKey: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export const handshake = 17;
export const authenticate = 36;

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const mechanism = "PLAIN";

const answers: Readonly<Record<number, Buffer>> = {
  // No error, and one mechanism
  [handshake]: Buffer.concat([int16(0), int32(1), int16(mechanism.length), Buffer.from(mechanism)]),
  // No error, no message, no bytes, and a session of 10 s
  [authenticate]: Buffer.concat([int16(0), int16(-1), int32(0), int32(0), int32(10_000)]),
};

export const startSaslWire = async (): Promise<SaslWire> => {
  const keys: number[] = [];
  const sockets = new Set<Socket>();
  const take = async (socket: Socket, frame: Buffer): Promise<void> => {
    const apiKey = frame.readInt16BE(4);
    keys.push(apiKey);
    await wire.onRequest(apiKey);
    const body = Buffer.concat([frame.subarray(8, 12), answers[apiKey] ?? Buffer.alloc(0)]);
    socket.write(Buffer.concat([int32(body.length), body]));
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let left = Buffer.alloc(0);
    socket.on("data", (data: Buffer) => {
      left = Buffer.concat([left, data]);
      while (left.length >= 4 && left.length >= 4 + left.readInt32BE(0)) {
        const size = 4 + left.readInt32BE(0);
        void take(socket, left.subarray(0, size));
        left = left.subarray(size);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const wire: SaslWire = {
    port: (server.address() as AddressInfo).port,
    keys,
    onRequest: async () => {},
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
  return wire;
};
