import avro, { type Schema } from "avsc";

const decimal = { type: "bytes", logicalType: "decimal", precision: 38, scale: 2 };
const variableScale = {
  type: "record",
  name: "io.debezium.data.VariableScaleDecimal",
  fields: [
    { name: "scale", type: "int" },
    { name: "value", type: "bytes" },
  ],
};

/** Every logical type, with a value as avsc encodes it: avsc itself knows no logical types. */
const traits: Readonly<Record<string, readonly [type: object, value: unknown]>> = {
  total: [decimal, Buffer.from([0x0a, 0xbe])],
  tax: [{ ...decimal, type: "fixed", name: "Tax", size: 16 }, Buffer.alloc(16, 0xff)],
  price: [{ type: "bytes", logicalType: "big-decimal" }, Buffer.from([4, 0x0a, 0xbe, 4])],
  weight: [variableScale, { scale: 2, value: Buffer.from([5]) }],
  day: [{ type: "int", logicalType: "date" }, 20_509],
  at: [{ type: "int", logicalType: "time-millis" }, 22_400_123],
  exactlyAt: [{ type: "long", logicalType: "time-micros" }, 22_400_123_456],
  sent: [{ type: "long", logicalType: "timestamp-nanos" }, -1],
  shown: [{ type: "long", logicalType: "local-timestamp-micros" }, 1_772_000_000_123_456],
  id: [{ type: "fixed", name: "Id", size: 16, logicalType: "uuid" }, Buffer.alloc(16, 1)],
  wait: [{ type: "fixed", name: "Wait", size: 12, logicalType: "duration" }, Buffer.alloc(12, 1)],
};

export const logicalSchema = {
  type: "record",
  name: "Event",
  fields: [
    { name: "type", type: "string" },
    { name: "userId", type: "string" },
    {
      name: "traits",
      type: {
        type: "record",
        name: "Traits",
        fields: Object.entries(traits).map(([name, [type]]) => ({ name, type })),
      },
    },
  ],
} as Schema;

/** An identify as bare Avro. */
export const logicalEvent = avro.Type.forSchema(logicalSchema).toBuffer({
  type: "identify",
  userId: "u",
  traits: Object.fromEntries(Object.entries(traits).map(([name, [, value]]) => [name, value])),
});
