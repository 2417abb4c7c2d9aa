package dev.espalier.tuner.boot;

import dev.espalier.tuner.launch.WorkerCommand;
import dev.espalier.tuner.persistence.EmbeddedPostgres;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What this machine offers to a server and its workers.
public final class Doctor {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int BLOCK_BYTES = 1 << 20;
  private static final int BLOCKS = 64;
  private static final int SYNCS = 8;

  private Doctor() {}

  /// Examines home and database here, everything else in a worker process.
  ///
  /// @param home the server's folder; need not exist
  /// @param environment names the database, as for the server
  /// @return one object per section, and in `uses` what will be used and why
  public static JsonNode examine(Path home, Map<String, String> environment) {
    ObjectNode report = worker();
    Map<String, Object> disk = disk(home);
    Map<String, Object> database = database(home, environment);
    report.set("home", JSON.valueToTree(disk));
    report.set("database", JSON.valueToTree(database));
    if (report.get("uses") instanceof ArrayNode uses) {
      uses.add("database: " + database.get("choice"));
      report.remove("uses");
      report.set("uses", uses);
    }
    return report;
  }

  private static ObjectNode worker() {
    WorkerCommand command = WorkerCommand.ofDistribution(List.of());
    if (JSON.readTree(command.answer(List.of(), "doctor")) instanceof ObjectNode report) {
      return report;
    }
    throw new IllegalStateException("a worker process must answer with an object");
  }

  static Map<String, Object> disk(Path home) {
    var section = new LinkedHashMap<String, Object>();
    section.put("folder", home.toString());
    Path existing = home.toAbsolutePath();
    while (existing != null && !Files.isDirectory(existing)) {
      existing = existing.getParent();
    }
    if (existing == null) {
      section.put("problem", "no folder above it exists");
      return section;
    }
    try {
      section.put(
          "freeGibibytes",
          tenths(Files.getFileStore(existing).getUsableSpace() / (double) (1 << 30)));
      measure(existing, section);
    } catch (IOException e) {
      section.put("problem", existing + " cannot be written: " + e.getMessage());
    }
    return section;
  }

  /// Writes a file, in `folder`, that is gone when it is closed.
  private static void measure(Path folder, Map<String, Object> section) throws IOException {
    Path file = Files.createTempFile(folder, ".doctor", null);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE)) {
      var block = ByteBuffer.allocateDirect(BLOCK_BYTES);
      long begin = System.nanoTime();
      for (int i = 0; i < BLOCKS; i++) {
        channel.write(block.clear());
      }
      channel.force(true);
      long written = System.nanoTime();
      for (int i = 0; i < SYNCS; i++) {
        channel.write(block.clear().limit(512), 0);
        channel.force(false);
      }
      long synced = System.nanoTime();
      section.put(
          "writeMegabytesPerSecond",
          tenths((double) BLOCKS * BLOCK_BYTES / 1e6 / ((written - begin) / 1e9)));
      section.put("syncMilliseconds", tenths((synced - written) / 1e6 / SYNCS));
    }
  }

  static Map<String, Object> database(Path home, Map<String, String> environment) {
    var section = new LinkedHashMap<String, Object>();
    String url = environment.getOrDefault("ESPALIER_DATABASE_URL", "");
    var problems = new ArrayList<String>();
    if (url.isBlank()) {
      EmbeddedPostgres.refusal().ifPresent(problems::add);
      section.put(
          "choice",
          "embedded PostgreSQL "
              + EmbeddedPostgres.VERSION
              + ", because ESPALIER_DATABASE_URL is not set");
      section.put(
          "data",
          EmbeddedPostgres.hasData(home.resolve("postgres")) ? "there" : "made at the first start");
    } else {
      section.put("choice", "the PostgreSQL that ESPALIER_DATABASE_URL names");
      Preflight.databaseProblem(
              url,
              environment.get("ESPALIER_DATABASE_USER"),
              environment.get("ESPALIER_DATABASE_PASSWORD"))
          .ifPresent(problems::add);
    }
    if (!problems.isEmpty()) {
      section.put("problem", problems.getFirst());
    }
    return section;
  }

  private static double tenths(double value) {
    return Math.round(value * 10) / 10.0;
  }
}
