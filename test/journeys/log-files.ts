import { open, readFile } from "node:fs/promises";
import { join } from "node:path";

import { sealed } from "../kafka/fetch/batch-bytes.ts";

/** The log of one partition on a broker's disk. */
export interface LogFile {
  readonly folder: string;
  readonly topic: string;
  readonly partition: number;
}

/** Changes the batch at this offset on the disk of a broker, which may be running. Resolves with a function that undoes it. */
export const editBatch = async (
  { folder, topic, partition }: LogFile,
  offset: number,
  edit: (batch: Buffer) => void,
): Promise<() => Promise<void>> => {
  const path = join(folder, `${topic}-${partition}`, `${"0".repeat(20)}.log`);
  const bytes = await readFile(path);
  let start = 0;
  while (Number(bytes.readBigInt64BE(start)) !== offset) start += 12 + bytes.readInt32BE(start + 8);
  const before = bytes.subarray(start, start + 12 + bytes.readInt32BE(start + 8));
  const put = async (batch: Buffer): Promise<void> => {
    const file = await open(path, "r+");
    await file.write(batch, 0, batch.length, start);
    await file.close();
  };
  const after = Buffer.from(before);
  edit(after);
  await put(after);
  return () => put(before);
};

/** Flips one bit of the last record, as a bad disk does. */
export const flipBit = (batch: Buffer): void => {
  const place = batch.length - 20;
  batch.writeUInt8(batch.readUInt8(place) ^ 1, place);
};

/** Sets a codec number that does not exist. */
export const setUnknownCodec = (batch: Buffer): void => {
  batch.writeInt16BE(6, 21);
  sealed(batch);
};
