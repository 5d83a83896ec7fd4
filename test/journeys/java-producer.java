import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Apache Kafka's own producer. Each input line is a record: topic, partition, codec, key and value, separated by tabs. After an empty line it
 * prints "written" when all records before are acknowledged. Consecutive records with the same codec are one batch.
 */
class JavaProducer {
  public static void main(String[] args) throws Exception {
    Map<String, KafkaProducer<String, String>> producers = new HashMap<>();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    KafkaProducer<String, String> last = null;
    Future<?> sent = null;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] parts = line.split("\t", 5);
      KafkaProducer<String, String> producer =
          parts.length < 5 ? null : producers.computeIfAbsent(parts[2], codec -> create(args[0], codec));
      if (last != null && producer != last) {
        last.flush();
        sent.get();
      }
      last = producer;
      if (producer == null) System.out.println("written");
      else sent = producer.send(new ProducerRecord<>(parts[0], Integer.parseInt(parts[1]), parts[3], parts[4]));
    }
    producers.values().forEach(KafkaProducer::close);
  }

  static KafkaProducer<String, String> create(String brokers, String codec) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", brokers);
    config.put("compression.type", codec);
    config.put("linger.ms", 60_000);
    config.put("batch.size", 4 << 20);
    config.put("max.request.size", 8 << 20);
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }
}
