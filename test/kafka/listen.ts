import type { AddressInfo, Server } from "node:net";

/** Listens on a free port of this machine, and returns the port. */
export const listen = async (listener: Server): Promise<number> => {
  await new Promise<void>((resolve) => {
    listener.listen(0, "127.0.0.1", resolve);
  });
  return (listener.address() as AddressInfo).port;
};
