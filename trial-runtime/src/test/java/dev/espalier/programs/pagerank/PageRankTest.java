package dev.espalier.programs.pagerank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.Tunable;
import dev.espalier.data.DataFolder;
import dev.espalier.data.Graph;
import dev.espalier.data.GraphReader;
import dev.espalier.programs.LocalTraining;
import dev.espalier.programs.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class PageRankTest {
  @TempDir private Path folder;

  private static LocalTraining open(Optional<Path> data, int workers) {
    return LocalTraining.of(PageRank::new, Map.of(), data, workers, 1);
  }

  private static float[] ranks(LocalTraining training) {
    return training.parameters().get("ranks");
  }

  /// 1 -> 2, 1 -> 3, 2 -> 3; 3 is dangling. By hand, with d = 0.85 and x = r_1: r_2 = x + 0.85 x /
  /// 2, r_3 = r_2 + 0.85 r_2, and the ranks sum to 1.
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void solvesTheSystemOfASmallGraph(int workers) throws IOException {
    Files.writeString(folder.resolve("g.txt"), "# made by hand\n1\t2\n1 3\r\n2\t3\n");
    try (LocalTraining training = open(Optional.of(folder), workers)) {
      for (int clock = 0; clock < 80; clock++) {
        training.clock();
      }
      double second = 1 + 0.85 / 2;
      double third = 1 + 0.85 / 2 + 0.85 * second;
      double sum = 1 + second + third;
      assertThat(ranks(training)[0]).isCloseTo((float) (1 / sum), within(1e-6f));
      assertThat(ranks(training)[1]).isCloseTo((float) (second / sum), within(1e-6f));
      assertThat(ranks(training)[2]).isCloseTo((float) (third / sum), within(1e-6f));
      assertThat(training.metric("residual")).isLessThan(1e-6);
    }
  }

  @Test
  void ranksSumToOneAndTheResidualFallsByTheDamping() {
    try (LocalTraining training = open(Optional.empty(), 2)) {
      double before = training.metric("residual");
      for (int clock = 0; clock < 20; clock++) {
        training.clock();
      }
      double sum = 0;
      for (float rank : ranks(training)) {
        sum += rank;
      }
      assertThat(sum).isCloseTo(1, within(1e-4));
      assertThat(training.metric("residual")).isLessThan(before * Math.pow(0.86, 20));
    }
  }

  @Test
  void relaxationStepsGoPartOfTheWay() {
    try (LocalTraining whole = open(Optional.empty(), 1);
        LocalTraining half = open(Optional.empty(), 1).with(Tunable.LEARNING_RATE, 0.5)) {
      float start = ranks(half)[0];
      whole.clock();
      half.clock();
      float full = ranks(whole)[0] - start;
      assertThat(ranks(half)[0] - start).isCloseTo(full / 2, within(Math.abs(full) * 1e-2f));
    }
  }

  @Test
  void badEdgesAreNamedByFileAndLine() throws IOException {
    Files.writeString(folder.resolve("g.txt"), "1\t2\n1\tx\n");
    assertThatThrownBy(() -> open(Optional.of(folder), 1))
        .hasMessageContaining("g.txt")
        .hasMessageContaining("line 2");
    Files.writeString(folder.resolve("h.txt"), "1\t2\n");
    assertThatThrownBy(() -> open(Optional.of(folder), 1))
        .hasMessageContaining("expected one file *.txt with edges");
  }

  @ParameterizedTest
  @CsvSource({
    "soc-slashdot0902, 82168, 948464, 2494 398 381 4805 37,"
        + " 0.00211992 0.00195895 0.00181760 0.00143112 0.00142602",
    "wiki-vote, 7115, 103689, 4037 15 6634 2625 2398,"
        + " 0.00460717 0.00367986 0.00358685 0.00328366 0.00260864"
  })
  void findsTheKnownRanksOfRealGraphs(
      String name, int nodes, int edges, String best, String expected) {
    Path data = TestData.require(name);
    DataFolder files = new DataFolder(data);
    Graph graph = GraphReader.read(files.require(fileOf(files)));
    assertThat(graph.nodes()).isEqualTo(nodes);
    assertThat(graph.edges()).isEqualTo(edges);
    try (LocalTraining training = open(Optional.of(data), 1)) {
      for (int clock = 0; clock < 70; clock++) {
        training.clock();
      }
      float[] ranks = ranks(training);
      double[] wanted =
          Arrays.stream(expected.split(" ")).mapToDouble(Double::parseDouble).toArray();
      String[] ids = best.split(" ");
      for (int i = 0; i < ids.length; i++) {
        int node = Arrays.binarySearch(graph.ids(), Integer.parseInt(ids[i]));
        assertThat((double) ranks[node]).as("node " + ids[i]).isCloseTo(wanted[i], within(2e-8));
      }
    }
  }

  private static String fileOf(DataFolder files) {
    return files.names().stream().filter(file -> file.endsWith(".txt")).findFirst().orElseThrow();
  }
}
