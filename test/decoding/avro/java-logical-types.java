import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/**
 * Writes logical types with Apache Avro's own library, and what their values are as text. Makes java-logical-types.json anew:
 *
 *   mvn -q -Dmaven.repo.local=/tmp/avro org.apache.maven.plugins:maven-dependency-plugin:2.8:get -Dartifact=org.apache.avro:avro:1.12.0
 *   java -cp "$(find /tmp/avro -name '*.jar' | tr '\n' ':')" test/intake/java-logical-types.java > test/intake/java-logical-types.json
 *   npx oxfmt test/intake/java-logical-types.json
 */
class LogicalTypes {
  static final GenericData DATA = new GenericData();
  static final List<String> ROWS = new ArrayList<>();

  public static void main(String[] args) throws Exception {
    conversions();
    decimals();
    datesAndTimes();
    timestamps();
    others();
    System.out.println("[\n  " + String.join(",\n  ", ROWS) + "\n]");
  }

  static void conversions() {
    DATA.setFastReaderEnabled(false);
    DATA.addLogicalTypeConversion(new Conversions.DecimalConversion());
    DATA.addLogicalTypeConversion(new Conversions.BigDecimalConversion());
    DATA.addLogicalTypeConversion(new Conversions.UUIDConversion());
    DATA.addLogicalTypeConversion(new TimeConversions.DateConversion());
    DATA.addLogicalTypeConversion(new TimeConversions.TimeMillisConversion());
    DATA.addLogicalTypeConversion(new TimeConversions.TimeMicrosConversion());
    DATA.addLogicalTypeConversion(new TimeConversions.TimestampMillisConversion());
    DATA.addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
    DATA.addLogicalTypeConversion(new TimeConversions.TimestampNanosConversion());
    DATA.addLogicalTypeConversion(new TimeConversions.LocalTimestampMillisConversion());
    DATA.addLogicalTypeConversion(new TimeConversions.LocalTimestampMicrosConversion());
    DATA.addLogicalTypeConversion(new TimeConversions.LocalTimestampNanosConversion());
  }

  static void decimals() throws Exception {
    String bytes = "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":%d,\"scale\":%d}";
    String fixed = "{\"type\":\"fixed\",\"name\":\"Amount\",\"size\":%d,\"logicalType\":\"decimal\",\"precision\":%d,\"scale\":%d}";
    for (String text : List.of("27.50", "-0.05", "0.00", "-1.28", "1.27", "1.28", "-327.69", "99999999999999.99"))
      decimal(String.format(bytes, 38, 2), text);
    for (String text : List.of("0", "-1", "255", "-281474976710656", "12345678901234567890123456789"))
      decimal(String.format(bytes, 38, 0), text);
    decimal("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5}", "-42");
    for (String text : List.of("0.0000000005", "-0.0000000005", "1.0000000000")) decimal(String.format(bytes, 38, 10), text);
    for (String text : List.of("27.50", "-0.05", "0.00", "-99999.99")) decimal(String.format(fixed, 5, 11, 2), text);
    for (String text : List.of("27.50", "-0.05", "-170141183460469231731687303715884105.60"))
      decimal(String.format(fixed, 16, 38, 2), text);
    String big = "{\"type\":\"bytes\",\"logicalType\":\"big-decimal\"}";
    for (String text : List.of("27.50", "-0.05", "0", "1E+3", "-1E-12", "12345678901234567890.123456789")) decimal(big, text);
  }

  static void decimal(String schema, String text) throws Exception {
    BigDecimal value = new BigDecimal(text);
    row(schema, value, quoted(value.toPlainString()));
  }

  static void datesAndTimes() throws Exception {
    for (String text : List.of("1970-01-01", "2026-02-25", "1969-12-31", "0001-01-01", "9999-12-31", "2024-02-29"))
      row("{\"type\":\"int\",\"logicalType\":\"date\"}", LocalDate.parse(text), quoted(LocalDate.parse(text).toString()));
    for (String text : List.of("00:00", "06:13:20.123", "23:59:59.999"))
      time("{\"type\":\"int\",\"logicalType\":\"time-millis\"}", text);
    for (String text : List.of("00:00", "06:13:20.123", "06:13:20.123456", "23:59:59.999999"))
      time("{\"type\":\"long\",\"logicalType\":\"time-micros\"}", text);
  }

  static void time(String schema, String text) throws Exception {
    LocalTime value = LocalTime.parse(text);
    row(schema, value, quoted(value.format(DateTimeFormatter.ofPattern("HH:mm:ss" + digits(value.getNano())))));
  }

  static void timestamps() throws Exception {
    List<String> millis = List.of("1970-01-01T00:00:00", "2026-02-25T06:13:20.123", "1969-12-31T23:59:59.999", "0001-01-01T00:00:00");
    List<String> micros = List.of("2026-02-25T06:13:20.123", "2026-02-25T06:13:20.123456", "1969-12-31T23:59:59.999999");
    // None before 1970: up to 1.12.1 the library writes 0.998999999 s after it for a nanosecond before it.
    List<String> nanos =
        List.of("2026-02-25T06:13:20.123", "2026-02-25T06:13:20.123456", "2026-02-25T06:13:20.123456789",
            "2026-02-25T06:13:20.000000001", "2262-04-11T23:47:16.854775807");
    for (String text : millis) timestamp("millis", text);
    for (String text : micros) timestamp("micros", text);
    for (String text : nanos) timestamp("nanos", text);
  }

  static void timestamp(String unit, String text) throws Exception {
    LocalDateTime local = LocalDateTime.parse(text);
    Instant instant = local.toInstant(ZoneOffset.UTC);
    String iso = local.format(DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss" + digits(local.getNano())));
    row("{\"type\":\"long\",\"logicalType\":\"timestamp-" + unit + "\"}", instant, quoted(iso + "Z"));
    row("{\"type\":\"long\",\"logicalType\":\"local-timestamp-" + unit + "\"}", local, quoted(iso));
  }

  static String digits(int nanos) {
    return nanos % 1_000_000 == 0 ? ".SSS" : nanos % 1_000 == 0 ? ".SSSSSS" : ".SSSSSSSSS";
  }

  static void others() throws Exception {
    UUID uuid = UUID.fromString("f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    row("{\"type\":\"string\",\"logicalType\":\"uuid\"}", uuid, quoted(uuid.toString()));
    row("{\"type\":\"fixed\",\"name\":\"Id\",\"size\":16,\"logicalType\":\"uuid\"}", uuid, quoted(uuid.toString()));
    String duration = "{\"type\":\"fixed\",\"name\":\"Wait\",\"size\":12,\"logicalType\":\"duration\"}";
    byte[] parts = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putInt(14).putInt(3).putInt(90_500).array();
    row(duration, new GenericData.Fixed(new Schema.Parser().parse(duration), parts), quoted("P14M3DT90.5S"));
    places(new BigDecimal("27.50"), LocalDate.parse("2026-02-25"));
    byte[] raw = new BigInteger("2750").toByteArray();
    row("{\"type\":\"bytes\",\"logicalType\":\"decimal\"}", ByteBuffer.wrap(raw), quoted("Cr4="));
  }

  /** A decimal and a date wherever a schema can have them. */
  static void places(BigDecimal amount, LocalDate day) throws Exception {
    Schema schema = new Schema.Parser().parse(
        """
        { "type": "record", "name": "Order", "fields": [
          { "name": "total", "type": { "type": "fixed", "name": "Amount", "size": 8, "logicalType": "decimal", "precision": 18, "scale": 2 } },
          { "name": "tax", "type": "Amount" },
          { "name": "discount", "type": ["null", "Amount"] },
          { "name": "prices", "type": { "type": "array", "items": "Amount" } },
          { "name": "byName", "type": { "type": "map", "values": ["null", "string", { "type": "int", "logicalType": "date" }] } },
          { "name": "days", "type": { "type": "array", "items": { "type": "int", "logicalType": "date" } } }
        ] }""");
    GenericRecord order = new GenericData.Record(schema);
    order.put("total", amount);
    order.put("tax", amount.negate());
    order.put("discount", amount);
    order.put("prices", List.of(amount, amount.negate()));
    order.put("byName", Map.of("due", day));
    order.put("days", List.of(day, day));
    String json = "{\"total\":\"27.50\",\"tax\":\"-27.50\",\"discount\":\"27.50\",\"prices\":[\"27.50\",\"-27.50\"],"
        + "\"byName\":{\"due\":\"2026-02-25\"},\"days\":[\"2026-02-25\",\"2026-02-25\"]}";
    row(schema.toString(), order, json);
  }

  static String quoted(String text) {
    return "\"" + text + "\"";
  }

  static void row(String type, Object value, String json) throws Exception {
    String schema = "{\"type\":\"record\",\"name\":\"Event\",\"fields\":[{\"name\":\"x\",\"type\":" + type + "}]}";
    Schema parsed = new Schema.Parser().parse(schema);
    GenericRecord event = new GenericData.Record(parsed);
    event.put("x", value);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
    new GenericDatumWriter<GenericRecord>(parsed, DATA).write(event, encoder);
    encoder.flush();
    ROWS.add("{ \"type\": " + type + ", \"hex\": \"" + HexFormat.of().formatHex(out.toByteArray()) + "\", \"json\": " + json + " }");
  }
}
