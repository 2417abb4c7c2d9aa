package dev.espalier.programs;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/// Finds public data sets for tests that need them; without them those tests are skipped.
public final class TestData {
  private TestData() {}

  /// {@return the folder of this data set under `ESPALIER_TEST_DATA`, or under `shared/data` beside
  /// the checkout}
  public static Path require(String set) {
    Optional<Path> root =
        Optional.ofNullable(System.getenv("ESPALIER_TEST_DATA")).map(Path::of).or(TestData::nearby);
    Assumptions.assumeTrue(
        root.isPresent() && Files.isDirectory(root.get().resolve(set)),
        "no data set " + set + "; name the folder of data sets in ESPALIER_TEST_DATA");
    return root.orElseThrow().resolve(set);
  }

  private static Optional<Path> nearby() {
    Path at = Path.of("").toAbsolutePath();
    for (; at != null; at = at.getParent()) {
      Path candidate = at.resolve("shared").resolve("data");
      if (Files.isDirectory(candidate)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }
}
