package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Prior;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Setting;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.tuner.app.port.JobStore.FinishedJob;
import dev.espalier.tuner.app.port.JobStore.StoredJob;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ExperienceTest {
  private static final ProgramDescriptor MLP = new MultilayerPerceptron().describe();
  private static final Map<String, Object> SPACE =
      Map.of(
          "learningRate", Map.of("type", "log", "min", 1e-3, "max", 1, "default", 0.01),
          "batchSize", Map.of("type", "choice", "values", List.of(32, 64), "default", 32));

  private static JobSpec spec(Map<String, Object> more) {
    var document = new TreeMap<String, Object>(more);
    document.put("program", "mlp");
    document.putIfAbsent("tunables", SPACE);
    return JobSpecReader.read(document, _ -> Optional.of(MLP)).spec().orElseThrow();
  }

  private static FinishedJob job(
      String id, String data, double value, JobSpec.ScheduleEntry... path) {
    return job(id, data, 2, value, path);
  }

  private static FinishedJob job(
      String id, String data, int evaluations, double value, JobSpec.ScheduleEntry... path) {
    return new FinishedJob(
        new StoredJob(id, spec(Map.of()), 3, data),
        evaluations,
        Map.of("accuracy", 0.1),
        value,
        900,
        9,
        List.of(path));
  }

  private static JobSpec.ScheduleEntry step(long clock, double rate, double batchSize) {
    return new JobSpec.ScheduleEntry(
        clock, Setting.of(Map.of("learningRate", rate, "batchSize", batchSize)));
  }

  private static List<Prior> priors(FinishedJob... finished) {
    return Experience.of(spec(Map.of()), MLP, "d1", List.of(finished));
  }

  @Test
  void theSettingAQuarterOfTheWayIsHandedOn() {
    List<Prior> priors =
        priors(job("job_1", "d1", 0.9, step(0, 0.01, 32), step(200, 0.1, 64), step(301, 0.03, 64)));

    assertThat(priors)
        .singleElement()
        .satisfies(prior -> {
          assertThat(prior.setting()).isEqualTo(step(0, 0.1, 64).setting());
          assertThat(prior.sameData()).isTrue();
          assertThat(prior.metric()).isEqualTo("accuracy");
        });
  }

  @Test
  void sameDataComesFirstAndOfThatTheBest() {
    List<Prior> priors =
        priors(
            job("newest", "other", 0.99, step(0, 0.4, 64)),
            job("worse", "d1", 0.8, step(0, 0.2, 64)),
            job("unknown", "d1", Double.NaN, step(0, 0.3, 64)),
            job("best", "d1", 0.9, step(0, 0.1, 64)));

    assertThat(priors).extracting(Prior::job).containsExactly("best", "worse");
  }

  @Test
  void jobThatLearnedNothingHandsNothingOn() {
    assertThat(
            priors(
                job("worse", "d1", 0.05, step(0, 0.2, 64)),
                job("same", "other", 0.1, step(0, 0.3, 64)),
                job("unknown", "d1", Double.NaN, step(0, 0.4, 64)),
                job("better", "d1", 0.11, step(0, 0.1, 64))))
        .extracting(Prior::job)
        .containsExactly("better");
  }

  /// Its only evaluation is that of its result, so it stands before none.
  @Test
  void jobThatWasEvaluatedOnceHandsItsSettingOn() {
    assertThat(
            priors(
                job("once", "d1", 1, 0.1, step(0, 0.2, 64)),
                job("firstWasBest", "d1", 2, 0.1, step(0, 0.3, 64)),
                job("elsewhere", "d1", 1, Double.NaN, step(0, 0.4, 64))))
        .extracting(Prior::job)
        .containsExactly("once");
  }

  @Test
  void theSameSettingIsHandedOnOnce() {
    assertThat(priors(job("a", "d1", 0.9, step(0, 0.1, 64)), job("b", "d1", 0.8, step(0, 0.1, 64))))
        .extracting(Prior::job)
        .containsExactly("a");
  }

  @Test
  void whoFoundTheDefaultBestHandsNothingOn() {
    assertThat(priors(job("a", "d1", 0.9, step(0, 0.01, 32)))).isEmpty();
  }

  @Test
  void valuesThatDoNotFitAreLeftOutAndSaidSo() {
    var foreign =
        new JobSpec.ScheduleEntry(
            0, Setting.of(Map.of("learningRate", 5.0, "batchSize", 64.0, "dropout", 0.5)));

    assertThat(priors(job("a", "d1", 0.9, foreign)))
        .singleElement()
        .satisfies(prior -> {
          assertThat(prior.setting()).isEqualTo(Setting.of(Map.of("batchSize", 64.0)));
          assertThat(prior.notes())
              .containsExactly(
                  "dropout 0.5 is left out: it is not searched here",
                  "learningRate 5.0 is left out: it lies outside of what is searched here");
        });
  }

  @Test
  void whatIsOfNoUseAtAllIsToldAfterTheOthers() {
    var foreign = new JobSpec.ScheduleEntry(0, Setting.of(Map.of("learningRate", 5.0)));

    List<Prior> priors =
        priors(job("a", "d1", 0.9, foreign), job("b", "d1", 0.8, step(0, 0.1, 64)));

    assertThat(priors).extracting(Prior::job).containsExactly("b", "a");
    assertThat(priors.getLast().hasSetting()).isFalse();
  }
}
