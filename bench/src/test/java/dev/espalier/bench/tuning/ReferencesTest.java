package dev.espalier.bench.tuning;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReferencesTest {
  @TempDir private Path folder;

  @Test
  void writersOfTheSameFileDoNotDisturbEachOther() throws Exception {
    Path file = folder.resolve("reference.json");
    String text = "x".repeat(10_000);
    var writers = new ArrayList<Callable<Void>>();
    for (int writer = 0; writer < 4; writer++) {
      writers.add(() -> {
        for (int time = 0; time < 50; time++) {
          References.write(file, text);
        }
        return null;
      });
    }
    try (var threads = Executors.newFixedThreadPool(writers.size())) {
      for (Future<Void> written : threads.invokeAll(writers)) {
        written.get();
      }
    }
    assertThat(Files.readString(file)).isEqualTo(text);
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }
}
