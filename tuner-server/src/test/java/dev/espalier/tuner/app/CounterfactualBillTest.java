package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.Verdict;
import dev.espalier.api.rest.BillView;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.tuner.app.port.JobQueries.Samples;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class CounterfactualBillTest {
  private static final MetricSpec ACCURACY = MetricSpec.maximize("accuracy");

  /// Two workers, 6400 samples. Batch 32: 100 clocks an epoch at 20 ms, 2 s; batch 128: 25 clocks
  /// at 40 ms, 1 s; an evaluation 0.5 s. Ten epochs: 20 + 5 and 10 + 5 s. The third setting
  /// diverged after 1 s, and would have taken 25 s to its end. The best was at epoch 4: 8 + 2 and 4
  /// + 2 s.
  @Test
  void runsCostWhatTheirClocksCostHere() {
    BillView bill =
        CounterfactualBill.of(
            job(10, 5),
            ACCURACY,
            new Samples(6400, 32),
            List.of(
                branch(1, 0.1, 32, 50, 1, BranchState.KEPT, Verdict.CONVERGING),
                branch(2, 0.1, 32, 150, 3, BranchState.KEPT, Verdict.CONVERGING),
                branch(3, 0.1, 128, 10, 0.4, BranchState.DISCARDED, Verdict.UNSTABLE),
                branch(4, 0.9, 32, 50, 1, BranchState.FAILED, Verdict.DIVERGED)),
            java.util.stream.IntStream.rangeClosed(1, 10)
                .mapToObj(epoch -> evaluation(epoch, epoch == 4 ? 0.9 : 0.8))
                .toList());

    assertThat(bill.settings()).isEqualTo(3);
    assertThat(bill.diverged()).isOne();
    assertThat(bill.bestEpoch()).isEqualTo(4);
    assertThat(bill.seconds()).isCloseTo(25 + 15 + 1, within(1e-9));
    assertThat(bill.lowSeconds()).isCloseTo(10 + 6 + 1, within(1e-9));
    assertThat(bill.highSeconds()).isCloseTo(25 + 15 + 25, within(1e-9));
    assertThat(bill.jobSeconds()).isEqualTo(5 + 20 + 5);
    assertThat(bill.assumptions()).anyMatch(sentence -> sentence.startsWith("Low: "));
  }

  @Test
  void aJobThatTriedNothingHasNoBill() {
    BillView bill =
        CounterfactualBill.of(job(0, 0), ACCURACY, new Samples(0, 0), List.of(), List.of());

    assertThat(bill.settings()).isZero();
    assertThat(bill.seconds()).isZero();
    assertThat(bill.assumptions()).containsExactly("The job has measured no setting yet.");
  }

  private static BranchView branch(
      int number,
      double rate,
      double batchSize,
      long clocks,
      double seconds,
      BranchState state,
      Verdict verdict) {
    return new BranchView(
        number,
        0,
        BranchKind.TRIAL,
        1,
        Map.of("learningRate", rate, "batchSize", batchSize),
        state,
        1,
        0,
        clocks,
        seconds,
        verdict,
        null,
        null,
        null,
        List.of(),
        List.of(),
        null);
  }

  private static EvaluationView evaluation(int epoch, double accuracy) {
    return new EvaluationView(1, 100L * epoch, epoch, epoch, Map.of("accuracy", accuracy));
  }

  private static JobView job(double epoch, double evaluationSeconds) {
    return new JobView(
        "job_1",
        "name",
        "mlp",
        "mltuner",
        "tpe",
        2,
        1,
        JobState.COMPLETED,
        "",
        "",
        "",
        Instant.EPOCH,
        Instant.EPOCH,
        Instant.EPOCH,
        Map.of(),
        2,
        1000,
        epoch,
        1,
        0,
        0.1,
        Map.of(),
        1,
        5,
        20,
        evaluationSeconds,
        0.2,
        5,
        1,
        1,
        1,
        "token:test",
        null,
        JobView.Trail.EMPTY);
  }
}
