import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.management.ManagementFactory;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/** Ten fields of GuardDuty events into a KTable: raw topic to findings topic to RocksDB. Arguments: bootstrap, raw, findings, count, folder. */
public final class Peer {
  public static void main(String[] args) throws Exception {
    var json = new ObjectMapper();
    var count = Long.parseLong(args[3]);
    var seen = new AtomicLong();
    var running = new CountDownLatch(1);
    var done = new CountDownLatch(1);
    var builder = new StreamsBuilder();
    builder.stream(args[1], Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
        .map((key, value) -> {
          try {
            JsonNode detail = json.readTree(value).get("detail");
            ObjectNode finding = json.createObjectNode();
            finding.set("id", detail.get("arn"));
            finding.set("account", detail.get("accountId"));
            finding.set("region", detail.get("region"));
            finding.put("source", "AWS GuardDuty");
            finding.put("type", "AWS GuardDuty Host");
            finding.set("name", detail.get("type"));
            finding.put("severity", "high");
            finding.set("title", detail.get("title"));
            finding.set("description", detail.get("description"));
            finding.put("version", detail.get("service").get("count").asText());
            return KeyValue.pair(finding.get("id").asText(), json.writeValueAsBytes(finding));
          } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
          }
        })
        .to(args[2], Produced.with(Serdes.String(), Serdes.ByteArray()));
    builder.table(args[2], Consumed.with(Serdes.String(), Serdes.ByteArray()),
            Materialized.<String, byte[], KeyValueStore<Bytes, byte[]>>as("findings"))
        .toStream()
        .foreach((key, value) -> {
          if (seen.incrementAndGet() == count) {
            done.countDown();
          }
        });
    var config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, "peer-" + args[2]);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    config.put(StreamsConfig.STATE_DIR_CONFIG, args[4]);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    config.put("auto.offset.reset", "earliest");
    var streams = new KafkaStreams(builder.build(), config);
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.RUNNING) {
        running.countDown();
      }
    });
    var os = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    streams.start();
    running.await();
    var began = System.nanoTime();
    var cpu = os.getProcessCpuTime();
    done.await();
    System.out.printf(java.util.Locale.ROOT, "{\"seconds\": %.3f, \"cpu\": %.3f, \"rss_mb\": 0}%n",
        (System.nanoTime() - began) / 1e9, (os.getProcessCpuTime() - cpu) / 1e9);
    streams.close(java.time.Duration.ofSeconds(5));
    System.exit(0);
  }
}
