/**
 * A framed value is one in the wire format of Confluent's schema registry: a zero byte, the schema id in four bytes (big endian), and
 * the payload.
 * Source: https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 */
export const magicByte = 0;
export const frameHeaderBytes = 5;

/** Puts the frame's header before a payload. */
export const frame = (schemaId: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt8(magicByte);
  header.writeUInt32BE(schemaId, 1);
  return Buffer.concat([header, payload]);
};

/** The parts of a framed value; undefined if the value is too short or does not begin with the magic byte. */
export const unframe = (value: Buffer): { readonly schemaId: number; readonly payload: Buffer } | undefined =>
  value.length < frameHeaderBytes || value[0] !== magicByte
    ? undefined
    : { schemaId: value.readUInt32BE(1), payload: value.subarray(frameHeaderBytes) };
