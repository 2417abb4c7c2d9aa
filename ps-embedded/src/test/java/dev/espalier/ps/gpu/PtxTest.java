package dev.espalier.ps.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PtxTest {
  private static final Path SOURCE = Path.of("src/main/cuda");

  private static List<String> keptLines() {
    return new String(Ptx.kernels(), StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void thePtxIsThatOfItsSource() throws IOException, NoSuchAlgorithmException {
    assumeTrue(Files.isDirectory(SOURCE), "the source is not here");
    assertThat(keptLines().getFirst())
        .as("the kernels were changed but not compiled: run src/main/cuda/build.sh")
        .isEqualTo(
            Ptx.HASH_MARK
                + hash(
                    SOURCE.resolve("device.h"),
                    SOURCE.resolve("espalier.cu"),
                    SOURCE.resolve("build.sh")));
  }

  @Test
  void thePtxOfTheBenchmarkIsThatOfItsSource() throws IOException, NoSuchAlgorithmException {
    assumeTrue(Files.isDirectory(SOURCE), "the source is not here");
    Path source = Path.of("src/test/cuda");
    String first =
        new String(Ptx.read(OverlapBenchmark.class, "layer.ptx"), StandardCharsets.UTF_8)
            .lines()
            .findFirst()
            .orElseThrow();
    assertThat(first)
        .as("the kernels were changed but not compiled: run src/test/cuda/build.sh")
        .isEqualTo(
            Ptx.HASH_MARK
                + hash(
                    SOURCE.resolve("device.h"),
                    source.resolve("layer.cu"),
                    source.resolve("build.sh")));
  }

  private static String hash(Path... files) throws IOException, NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (Path file : files) {
      digest.update(Files.readAllBytes(file));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  @Test
  void theCompilerGivesThePtxAgain(@TempDir Path directory)
      throws IOException, InterruptedException {
    assumeTrue(Files.isDirectory(SOURCE), "the source is not here");
    assumeTrue(
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(place -> Files.isExecutable(Path.of(place, "nvcc"))),
        "there is no nvcc");
    Path again = directory.resolve("again.ptx");
    Process compiler =
        new ProcessBuilder(SOURCE.resolve("build.sh").toString(), again.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(compiler.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(compiler.exitValue()).as(output).isZero();
    List<String> compiled = Files.readAllLines(again);
    assumeTrue(
        compilerOf(compiled).equals(compilerOf(keptLines())),
        "another nvcc than the one that compiled the PTX that is kept");
    assertThat(compiled).isEqualTo(keptLines());
  }

  private static List<String> compilerOf(List<String> ptx) {
    return ptx.stream().filter(line -> line.startsWith("// C")).toList();
  }
}
