package dev.espalier.bench.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WorkloadsTest {
  @TempDir Path folder;

  @Test
  void everyBuiltInWorkloadIsWhole() throws IOException {
    for (Workload workload : Workloads.builtIn().values()) {
      assertThat(workload.space().problemsOf(workload.carefulSetting())).isEmpty();
      assertThat(workload.reason()).as(workload.name()).isNotBlank();
      assertThat(workload.label()).endsWith("(generated data)");
      assertThat(workload.descriptor().arguments())
          .extracting(argument -> argument.name())
          .containsAll(workload.arguments().keySet());
    }
  }

  @Test
  void dataIsTheFolderOfTheWorkloadOrOfASingleOne() throws IOException {
    var all = List.copyOf(Workloads.builtIn().values());
    Path below = Files.createDirectory(folder.resolve(all.getFirst().folder()));
    var located = Workloads.locate(all, Optional.of(folder));
    assertThat(located.getFirst().data()).contains(below);
    assertThat(located.get(1).data()).isEmpty();
    assertThat(Workloads.locate(all.subList(1, 2), Optional.of(folder)).getFirst().data())
        .contains(folder);
  }

  @Test
  void saysWhatIsWrongWithAFile() throws IOException {
    Path file = folder.resolve("own.yaml");
    Files.writeString(file, "own: { program: mlp, budgetEpoch: 3, reason: x }\n");
    assertThatThrownBy(() -> Workloads.read(file))
        .hasMessageContaining("own.yaml: own: unknown key budgetEpoch");
    Files.writeString(file, "own: { program: mlp, reason: x }\n");
    assertThatThrownBy(() -> Workloads.read(file)).hasMessageContaining("budgetEpochs is missing");
    Files.writeString(file, "own: { program: mlp, staleness: 3, budgetEpochs: 3, reason: x }\n");
    assertThatThrownBy(() -> Workloads.read(file))
        .hasMessageContaining("must be a list of numbers");
  }

  @Test
  void stalenessIsChosenWhereAWorkloadNamesIt() throws IOException {
    Path file = folder.resolve("own.yaml");
    String workload = "own: { program: mlp, workers: 4, budgetEpochs: 3, reason: x%s }\n";
    Files.writeString(file, workload.formatted(""));
    Workload without = Workloads.read(file).get("own");
    Files.writeString(file, workload.formatted(", staleness: [0, 1, 3]"));
    Workload with = Workloads.read(file).get("own");

    assertThat(with.space().dimensions()).isEqualTo(without.space().dimensions() + 1);
    assertThat(with.carefulSetting().value("staleness")).isZero();
    assertThat(with.tunablesToTell(with.carefulSetting()).orElseThrow()).containsKey("staleness");
    assertThat(without.tunablesToTell(without.carefulSetting())).isEmpty();
    assertThat(References.fingerprint(with)).isNotEqualTo(References.fingerprint(without));
  }

  @Test
  void fingerprintFollowsTheData() throws IOException {
    Workload workload = Workloads.builtIn().get("a9a-logreg");
    Files.writeString(folder.resolve("a"), "1 1:1\n");
    String one = References.fingerprint(workload.withData(Optional.of(folder)));
    assertThat(References.fingerprint(workload.withData(Optional.of(folder)))).isEqualTo(one);
    Files.writeString(folder.resolve("a"), "1 1:1\n1 1:1\n");
    assertThat(References.fingerprint(workload.withData(Optional.of(folder)))).isNotEqualTo(one);
    assertThat(References.fingerprint(workload)).isNotEqualTo(one);
  }
}
