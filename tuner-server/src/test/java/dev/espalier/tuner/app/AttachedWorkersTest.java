package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.JobState;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.tuner.app.TunerInMemory.Trained;
import dev.espalier.tuner.core.session.Decision;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Two workers attach by themselves and train a built-in program.
@Timeout(120)
class AttachedWorkersTest {
  @TempDir private Path checkpoints;

  @Test
  void fixedSettingTrainsToTheEnd() throws Exception {
    Trained trained =
        train(
            Map.of(
                "tuning",
                Map.of("policy", "fixed", "setting", Map.of("learningRate", 0.05)),
                "stop",
                Map.of("maxEpochs", 2)));

    List<Double> accuracy = trained.evaluations().stream().map(e -> e.get("accuracy")).toList();
    assertThat(trained.state()).isEqualTo(JobState.COMPLETED);
    assertThat(accuracy).hasSizeGreaterThanOrEqualTo(2);
    assertThat(accuracy.getLast()).isGreaterThan(accuracy.getFirst() - 0.05);
  }

  @Test
  void tunedJobFindsASettingAndDecidesTheSameEveryTime() throws Exception {
    Map<String, Object> tuned =
        Map.of(
            "tuning", Map.of("policy", "mltuner", "searcher", "random", "maxTrials", 6),
            "stop", Map.of("maxEpochs", 2));

    Trained first = train(tuned);
    Trained second = train(tuned);

    assertThat(first.state()).isEqualTo(JobState.COMPLETED);
    assertThat(first.decisions()).extracting(Decision::key).anyMatch(key -> key.endsWith("adopt"));
    assertThat(second.decisions()).isEqualTo(first.decisions());
  }

  @Test
  void racesAreJudgedByWhatWorkersMeasureOnHeldOutSamples() throws Exception {
    Trained raced =
        train(Map.of("tuning", Map.of("policy", "racing"), "stop", Map.of("maxEpochs", 6)));

    assertThat(raced.state()).as(raced.message()).isEqualTo(JobState.COMPLETED);
    assertThat(raced.decisions()).extracting(Decision::rule).contains("racing.rung");
  }

  @Test
  void racesRunWithSeveralWorkersAndStaleness() throws Exception {
    Map<String, Object> tunables =
        Map.of(
            "learningRate", Map.of("type", "log", "min", 1e-4, "max", 0.3, "default", 0.01),
            "staleness", Map.of("type", "choice", "values", List.of(0, 1, 3), "default", 1));

    Trained raced =
        train(Map.of("workers", 3, "tunables", tunables, "stop", Map.of("maxEpochs", 12)));

    assertThat(raced.state()).as(raced.message()).isEqualTo(JobState.COMPLETED);
    assertThat(raced.decisions()).extracting(Decision::rule).contains("racing.rung");
    assertThat(raced.result().get("accuracy")).isGreaterThan(0.4);
  }

  @Test
  void waitForWorkersThatComeByThemselvesIsNoTimeOfTheJob() throws Exception {
    Map<String, Object> document = document(Map.of("stop", Map.of("maxTime", "2s")));
    document.remove("time");

    Trained trained =
        TunerInMemory.train(
            document, MultilayerPerceptron::new, checkpoints, Duration.ofSeconds(4));

    assertThat(trained.state()).as(trained.message()).isEqualTo(JobState.COMPLETED);
    assertThat(trained.epochs()).isPositive();
  }

  @Test
  void jobFailsInWordsWhenItsWorkersCannotBeStarted() throws Exception {
    Trained trained = train(Map.of("launch", "local"));

    assertThat(trained.state()).isEqualTo(JobState.FAILED);
    assertThat(trained.message()).contains("no processes");
  }

  private Trained train(Map<String, Object> more) throws Exception {
    return TunerInMemory.train(document(more), MultilayerPerceptron::new, checkpoints);
  }

  private static Map<String, Object> document(Map<String, Object> more) {
    var document = new TreeMap<String, Object>(more);
    document.put("program", "mlp");
    document.putIfAbsent("launch", "external");
    document.putIfAbsent("workers", 2);
    document.put("arguments", Map.of("hidden", List.of(16)));
    document.put(
        "time", Map.of("model", Map.of("perClockSeconds", 2e-4, "perSampleSeconds", 7e-6)));
    return document;
  }
}
