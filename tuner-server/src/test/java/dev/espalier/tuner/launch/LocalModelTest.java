package dev.espalier.tuner.launch;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class LocalModelTest {
  private static JobSpec job(Map<String, Object> document) {
    return JobSpecReader.read(
            document,
            name -> Optional.of(ProgramDescriptor.of(name, "a toy", MetricSpec.minimize("loss"))))
        .spec()
        .orElseThrow();
  }

  @Test
  void dataThatAJobNamesMustBeGiven() {
    JobSpec job = job(Map.of("program", "toy", "data", "corpus"));

    assertThatThrownBy(() -> LocalModel.requireData(job, Optional.empty()))
        .hasMessage(
            "the job's program is opened with its data, corpus: give their folder on this machine"
                + " with --data");
    assertThatCode(() -> LocalModel.requireData(job, Optional.of(Path.of("corpus"))))
        .doesNotThrowAnyException();
    assertThatCode(() -> LocalModel.requireData(job(Map.of("program", "toy")), Optional.empty()))
        .doesNotThrowAnyException();
  }
}
