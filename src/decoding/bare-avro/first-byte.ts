import avro from "avsc";
import type { Type } from "avsc";

/**
 * Whether a bare record of this schema may begin with a zero byte, like a framed record. Nearly every schema may: zero is a number,
 * false, the first symbol of an enum, the first branch of a union, and the length of an empty text. Only the field `type` is never
 * empty text.
 */
export const mayBeginWithZero = (type: Type): boolean => beginsWithZero(type, "", new Set()) ?? false;

/** Undefined for a type that takes no bytes: the next field then decides. */
const beginsWithZero = (type: Type, field: string, seen: Set<Type>): boolean | undefined => {
  if (type instanceof avro.types.NullType || seen.has(type)) return undefined;
  if (type instanceof avro.types.RecordType) return recordBeginsWithZero(type, seen.add(type));
  return !(field === "type" && type instanceof avro.types.StringType);
};

const recordBeginsWithZero = ({ fields }: avro.types.RecordType, seen: Set<Type>): boolean | undefined => {
  for (const { name, type } of fields) {
    const isZero = beginsWithZero(type, name, seen);
    if (isZero !== undefined) return isZero;
  }
  return undefined;
};
