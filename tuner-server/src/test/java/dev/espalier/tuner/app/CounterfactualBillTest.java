package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.JobState;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.rest.BillView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import dev.espalier.tuner.app.port.JobQueries.Tried;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class CounterfactualBillTest {
  private static final MetricSpec ACCURACY = MetricSpec.maximize("accuracy");

  /// Two settings that converge take 2 and 1 s an epoch, an evaluation 0.5 s. Ten epochs: 20 + 5
  /// and 10 + 5 s. The third, of 2 s an epoch, diverged after 1 s, and would have taken 25 s to its
  /// end. The best was at epoch 4: 8 + 2 and 4 + 2 s.
  @Test
  void runsCostWhatTheirClocksCostHere() {
    BillView bill =
        CounterfactualBill.of(
            job("mltuner", 10, 5), ACCURACY, new Tried(3, 1, 2 + 1, 2, 1, 13), tenEvaluations());

    assertThat(bill.settings()).isEqualTo(3);
    assertThat(bill.diverged()).isOne();
    assertThat(bill.bestEpoch()).isEqualTo(4);
    assertThat(bill.seconds()).isCloseTo(25 + 15 + 1, within(1e-9));
    assertThat(bill.lowSeconds()).isCloseTo(10 + 6 + 1, within(1e-9));
    assertThat(bill.highSeconds()).isCloseTo(25 + 15 + 25, within(1e-9));
    assertThat(bill.jobSeconds()).isEqualTo(5 + 20 + 5);
    assertThat(bill.assumptions()).anyMatch(sentence -> sentence.startsWith("Low: "));
  }

  /// What was evaluated at epoch 10 belongs to a start that was given up.
  @Test
  void runsAreAsLongAsTheLongestStart() {
    BillView bill =
        CounterfactualBill.of(
            job("mltuner", 3, 5), ACCURACY, new Tried(2, 0, 2 + 1, 0, 0, 13), tenEvaluations());

    assertThat(bill.epochs()).isEqualTo(10);
    assertThat(bill.seconds()).isCloseTo(25 + 15, within(1e-9));
  }

  /// Of the 20 evaluations of 0.25 s each ten took the lead. Ten epochs of two settings: 20 + 2.5
  /// and 10 + 2.5 s.
  @Test
  void theRunsOfAPopulationAreEvaluatedMoreOftenThanIsKnown() {
    BillView bill =
        CounterfactualBill.of(
            job("hyperband", 10, 5), ACCURACY, new Tried(2, 0, 2 + 1, 0, 0, 20), tenEvaluations());

    assertThat(bill.seconds()).isCloseTo(22.5 + 12.5, within(1e-9));
  }

  /// What leads is what the job would have given; other runs may have been longer.
  @Test
  void onlyResultsThatLedAreReckonedWith() {
    var tried = new Tried(4, 0, 4, 0, 0, 10);
    var all = new ArrayList<>(tenEvaluations());
    all.add(new EvaluationView(1, 7, false, 9000, 90, 9, Map.of("accuracy", 0.95)));

    assertThat(CounterfactualBill.of(job("asha", 10, 2), ACCURACY, tried, all))
        .isEqualTo(CounterfactualBill.of(job("asha", 10, 2), ACCURACY, tried, tenEvaluations()));
  }

  private static List<EvaluationView> tenEvaluations() {
    return IntStream.rangeClosed(1, 10)
        .mapToObj(epoch -> evaluation(epoch, epoch == 4 ? 0.9 : 0.8))
        .toList();
  }

  @Test
  void aJobThatTriedNothingHasNoBill() {
    BillView bill =
        CounterfactualBill.of(
            job("mltuner", 0, 0), ACCURACY, new Tried(0, 0, 0, 0, 0, 0), List.of());

    assertThat(bill.settings()).isZero();
    assertThat(bill.seconds()).isZero();
    assertThat(bill.assumptions()).containsExactly("The job has measured no setting yet.");
  }

  private static EvaluationView evaluation(int epoch, double accuracy) {
    return new EvaluationView(1, 0, true, 100L * epoch, epoch, epoch, Map.of("accuracy", accuracy));
  }

  private static JobView job(String policy, double epoch, double evaluationSeconds) {
    return new JobView(
        "job_1",
        "name",
        "mlp",
        policy,
        "tpe",
        2,
        JobSpec.Launch.LOCAL,
        1,
        JobState.COMPLETED,
        "",
        "",
        "",
        null,
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
        25 + evaluationSeconds,
        true,
        0.2,
        5,
        1,
        1,
        1,
        "token:test",
        null,
        null,
        JobView.Trail.EMPTY);
  }
}
