package dev.espalier.bench.tuning;

import dev.espalier.cli.client.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Keeps every run in a file, one JSON document a line, so that a long benchmark can go on where it
/// was cut off. Safe for several threads.
final class RunStore {
  private final Path file;
  private final Map<String, RunRecord> known = new HashMap<>();

  /// @param isResume whether runs that the file has are taken; else the file is begun anew
  RunStore(Path file, boolean isResume) throws IOException {
    this.file = file;
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    if (isResume && Files.exists(file)) {
      for (String line : Files.readAllLines(file)) {
        JsonNode entry = Json.parse(line);
        known.put(entry.path("key").asString(), Json.as(entry.path("run"), RunRecord.class));
      }
    } else {
      Files.deleteIfExists(file);
    }
  }

  synchronized Optional<RunRecord> find(String key) {
    return Optional.ofNullable(known.get(key));
  }

  synchronized void add(String key, RunRecord run) {
    known.put(key, run);
    String line =
        Json.write(Json.tree(Map.of("key", key, "run", run))).replaceAll("\\R\\s*", "") + "\n";
    try {
      Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be written", e);
    }
  }
}
