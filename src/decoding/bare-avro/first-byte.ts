import avro from "avsc";
import type { Type } from "avsc";

/**
 * Whether an event of this type, without a header, may begin with a zero byte, as records with a schema id do. Nearly every type
 * may: zero is a number, false, the first of an enum or a union, the length of a text. Only `type` is never an empty text.
 */
export const mayBeginWithZero = (type: Type): boolean => beginsWithZero(type, "", new Set()) ?? false;

/** Undefined for what takes no bytes: then it is the next field that counts. */
const beginsWithZero = (type: Type, field: string, seen: Set<Type>): boolean | undefined => {
  if (type instanceof avro.types.NullType || seen.has(type)) return undefined;
  if (type instanceof avro.types.RecordType) return recordBeginsWithZero(type, seen.add(type));
  return !(field === "type" && type instanceof avro.types.StringType);
};

const recordBeginsWithZero = ({ fields }: avro.types.RecordType, seen: Set<Type>): boolean | undefined => {
  for (const { name, type } of fields) {
    const begins = beginsWithZero(type, name, seen);
    if (begins !== undefined) return begins;
  }
  return undefined;
};
