package dev.espalier.tuner.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A cache may make a worker's JVM start faster, and do nothing else, whatever has become of it.
class WorkerCacheTest {
  /// Short, and part of every JDK.
  private static final List<String> PROGRAM =
      List.of("-m", "jdk.compiler/com.sun.tools.javac.Main", "-version");

  @TempDir private Path folder;

  @Test
  void jvmLeavesAloneACacheThatDoesNotFitOrIsDamagedAndSaysNothing() throws Exception {
    Path cache = folder.resolve("worker.aot");
    assertThat(run(List.of("-XX:AOTCacheOutput=" + cache, "-XX:+UseParallelGC"))).contains("javac");
    byte[] whole = Files.readAllBytes(cache);
    var options = new ArrayList<>(options(cache));
    String plain = run(List.of());
    String withCache = run(options);
    String again = run(options, "-XX:+UseParallelGC", "-XX:+UseCompactObjectHeaders");

    assertThat(withCache).isEqualTo(plain);
    assertThat(again).isEqualTo(plain);
    // Otherwise the rest would show nothing.
    assertThat(run(List.of("-XX:AOTCache=" + cache, "-XX:AOTMode=on", "-XX:+UseParallelGC")))
        .isEqualTo(plain);
    assertThat(Files.readAllBytes(cache)).isEqualTo(whole);

    var random = new Random(1);
    for (int part = 0; part < 8; part++) {
      Files.write(cache, whole);
      try (var file = new RandomAccessFile(cache.toFile(), "rw")) {
        byte[] noise = new byte[4096];
        random.nextBytes(noise);
        file.seek((long) whole.length * part / 8);
        file.write(noise);
      }
      assertThat(run(options)).as("damaged at %d / 8", part).isEqualTo(plain);
    }
    for (int bytes : List.of(0, 100, whole.length / 2, whole.length - 1)) {
      Files.write(cache, java.util.Arrays.copyOf(whole, bytes));
      assertThat(run(options)).as("cut to %d bytes", bytes).isEqualTo(plain);
    }
    Files.delete(cache);
    assertThat(run(options)).as("removed meanwhile").isEqualTo(plain);
  }

  @Test
  void severalStartsUseOneCacheAtOnce() throws Exception {
    Path cache = folder.resolve("worker.aot");
    run(List.of("-XX:AOTCacheOutput=" + cache));
    var processes = new ArrayList<Process>();
    for (int i = 0; i < 4; i++) {
      processes.add(start(options(cache)));
    }
    for (Process process : processes) {
      assertThat(outputOf(process)).startsWith("javac ");
    }
  }

  @Test
  void cacheGivesWayToOptionsThatTheJvmRefusesBesideIt() throws IOException {
    Path cache = Files.createFile(folder.resolve("worker.aot"));
    for (String other : List.of("-Xshare:off", "-XX:SharedArchiveFile=a", "-XX:AOTMode=off")) {
      assertThat(WorkerCommand.cacheOptions(Optional.of(cache), List.of(other), Map.of()))
          .isEmpty();
      assertThat(
              WorkerCommand.cacheOptions(
                  Optional.of(cache), List.of(), Map.of("JAVA_TOOL_OPTIONS", "-Da=1 " + other)))
          .isEmpty();
    }
    assertThat(WorkerCommand.cacheOptions(Optional.of(cache), List.of("-Xmx1g"), Map.of()))
        .first()
        .isEqualTo("-XX:AOTCache=" + cache);
  }

  /// The first half is what makes the second one necessary.
  @Test
  void cacheOfJarsThatWereMadeAnewIsNotUsed() throws Exception {
    Path cache = folder.resolve("worker.aot");
    Path jar = Files.createDirectory(folder.resolve("lib")).resolve("a.jar");
    List<String> program = List.of("-cp", jar.toString(), "Said");
    pack(jar, "before");
    assertThat(outputOf(start(List.of("-XX:AOTCacheOutput=" + cache), program))).contains("before");
    pack(jar, "now");
    Files.setLastModifiedTime(jar, FileTime.from(Instant.now().plusSeconds(2)));
    assertThat(outputOf(start(List.of("-XX:AOTCache=" + cache), program)).strip())
        .as("a JVM that compares jars needs no rule of ours, but it does no harm")
        .isIn("before", "now");

    assertThat(options(cache)).isEmpty();
    assertThat(outputOf(start(options(cache), program)).strip()).isEqualTo("now");

    Files.setLastModifiedTime(cache, Files.getLastModifiedTime(jar));
    assertThat(options(cache)).isNotEmpty();
  }

  private void pack(Path jar, String word) throws IOException {
    Path source = folder.resolve("Said.java");
    Files.writeString(
        source,
        "class Said { public static void main(String[] a) { System.out.println(\"%s\"); } }"
            .formatted(word));
    assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, source.toString()))
        .isZero();
    try (var out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new JarEntry("Said.class"));
      out.write(Files.readAllBytes(folder.resolve("Said.class")));
    }
  }

  @Test
  void withoutACacheThereIsNoOptionOfOne() {
    assertThat(WorkerCommand.cacheOptions(Optional.empty(), List.of(), Map.of())).isEmpty();
    assertThat(WorkerCommand.cacheOptions(Optional.of(folder.resolve("none")), List.of(), Map.of()))
        .isEmpty();
  }

  private static List<String> options(Path cache) {
    return WorkerCommand.cacheOptions(Optional.of(cache), List.of(), Map.of());
  }

  private static String run(List<String> options, String... more) throws Exception {
    var all = new ArrayList<>(options);
    all.addAll(List.of(more));
    return outputOf(start(all));
  }

  private static Process start(List<String> options) throws IOException {
    return start(options, PROGRAM);
  }

  private static Process start(List<String> options, List<String> program) throws IOException {
    var line = new ArrayList<String>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(options);
    line.addAll(program);
    return new ProcessBuilder(line).redirectErrorStream(true).start();
  }

  private static String outputOf(Process process) throws Exception {
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }
}
