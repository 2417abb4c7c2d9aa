package dev.espalier.bench.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.Goal;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// One workload whose oracle goes from 0.1 to 0.9, in 2 s to its target, and policies that are told
/// what to reach when.
final class StandingTest {
  private static final Reference REFERENCE =
      new Reference(
          "toy",
          "generated",
          "0",
          "paper",
          new CostModel(1, 0, 0, 0, 0, 0),
          1,
          10,
          Goal.MAXIMIZE,
          "accuracy",
          0.1,
          48,
          List.of(
              new Reference.Draw(0, 1, Map.of(), 0.1, 0.5, "ended"),
              new Reference.Draw(1, 1, Map.of(), 0.1, 0.9, "ended"),
              new Reference.Draw(2, 1, Map.of(), 0.1, Double.NaN, "failed")),
          repeats(2, 1, 3),
          repeats(4, 4, 4));

  private static List<Reference.Repeat> repeats(double... seconds) {
    return java.util.Arrays.stream(seconds)
        .mapToObj(each ->
            new Reference.Repeat(
                1,
                Map.of(),
                List.of(new RunRecord.Quality(0.1, 0.5, 0), new RunRecord.Quality(each, 0.9, 0))))
        .toList();
  }

  private static RunRecord run(String policy, double secondsToTarget, double best) {
    return new RunRecord(
        "toy",
        policy,
        1,
        "ended",
        10,
        10,
        List.of(
            new RunRecord.Quality(0.5, 0.2, 0),
            new RunRecord.Quality(secondsToTarget, Math.min(0.9, best), 1),
            new RunRecord.Quality(9, best, 1)),
        List.of(
            new RunRecord.BranchLife(0, -1, "MAINLINE", Map.of(), 0, 10, 8),
            new RunRecord.BranchLife(1, 0, "TRIAL", Map.of(), 0.1, 10, 2)),
        2,
        7,
        1,
        0);
  }

  @Test
  void targetIsHalfAPercentBelowTheOracle() {
    assertThat(REFERENCE.oracleQuality()).isEqualTo(0.9);
    assertThat(REFERENCE.target()).isCloseTo(0.9 - 0.005 * 0.8, within(1e-12));
    assertThat(REFERENCE.oracleSeconds()).isEqualTo(2);
  }

  @Test
  void missesCountAsInfinite() {
    var standing =
        Standing.of(REFERENCE, List.of(run("a", 3, 0.91), run("a", 5, 0.9), run("a", 4, 0.8)));
    assertThat(standing.reached()).isEqualTo(2);
    assertThat(standing.seconds()).isEqualTo(5);
    assertThat(standing.worstSeconds()).isInfinite();
    assertThat(standing.overOracle()).isEqualTo(2.5);
    assertThat(standing.overDefault()).isEqualTo(1.25);
    assertThat(standing.quality()).isEqualTo(0.9);
    assertThat(standing.worstQuality()).isEqualTo(0.8);
    assertThat(standing.progress()).isCloseTo(1, within(1e-12));
    assertThat(standing.tuningShare()).isCloseTo(0.2, within(1e-12));
    assertThat(standing.forks()).isEqualTo(1);
  }

  @Test
  void barsSayWhatIsReached() {
    var standings =
        List.of(
            Standing.of(REFERENCE, List.of(run("racing", 2.4, 0.91))),
            Standing.of(REFERENCE, List.of(run("asha", 2, 0.91))),
            Standing.of(REFERENCE, List.of(run("pbt", 9, 0.5))),
            Standing.of(REFERENCE, List.of(run("hyperband", 9, 0.9))));
    List<Bars.Bar> bars = new Bars(Map.of("toy", REFERENCE), standings).bars();
    assertThat(bars)
        .extracting(Bars.Bar::isReached)
        .containsExactly(true, true, true, true, true, true, false, false, true);
    assertThat(bars).extracting(Bars.Bar::figure).contains("1.20", "0.60", "1 of 1");
  }

  @Test
  void pictureShowsPoliciesAndForks() {
    String svg =
        new QualityPicture(
                REFERENCE, "Toy & more", Map.of("racing", List.of(run("racing", 2.4, 0.91))))
            .svg();
    assertThat(svg).contains("<svg", "Toy &amp; more", "polyline", "forks of racing", "target");
  }

  @Test
  void whoNeverArrivesIsNoPartOfAMedian() {
    var standings =
        List.of(
            Standing.of(REFERENCE, List.of(run("racing", 2, 0.9))),
            Standing.of(REFERENCE, List.of(run("hyperband", 5, 0.8))),
            Standing.of(REFERENCE, List.of(run("bayes", 3, 0.9))));

    assertThat(new Bars(Map.of("toy", REFERENCE), standings).bars())
        .filteredOn(bar -> bar.name().startsWith("at least 10 times"))
        .extracting(Bars.Bar::figure, Bars.Bar::isReached)
        .containsExactly(
            tuple("median -; it never arrives on toy, which is left out", false),
            tuple("median 1.50", false));
  }

  @Test
  void whoNeverArrivesCountsItsWholeTimeWhereEachWorkloadIsJudged() {
    var standings =
        List.of(
            Standing.of(REFERENCE, List.of(run("racing", 2, 0.9))),
            Standing.of(REFERENCE, List.of(run("pbt", 5, 0.8))));

    assertThat(new Bars(Map.of("toy", REFERENCE), standings).bars())
        .filteredOn(bar -> bar.name().startsWith("faster than pbt"))
        .extracting(Bars.Bar::figure, Bars.Bar::isReached)
        .containsExactly(
            tuple("everywhere; it never arrives on toy, which counts its whole time", true));
  }

  @Test
  void whatIsReachedLongAfterTheHorizonIsNotReached() {
    assertThat(run("a", 10.4, 0.9).secondsTo(0.9, Goal.MAXIMIZE)).isEqualTo(10.4);
    assertThat(run("a", 10.6, 0.9).secondsTo(0.95, Goal.MAXIMIZE)).isInfinite();
  }

  @Test
  void aRivalRunsWithOrWithoutTheDefault() {
    Contender published = Contender.named("bayes-as-published", Map.of("tuning.maxTrials", 3));

    assertThat(published.policy()).isEqualTo("bayes");
    assertThat(published.options())
        .containsOnly(entry("tuning.maxTrials", 3), entry("tuning.runs.defaultFirst", false));
    assertThat(Contender.named("mltuner:gp", Map.of()).options()).isEmpty();
  }

  @Test
  void lapsTakeTheOptionsOfTheOthersButForTheirRaces() {
    assertThat(Contender.laps(Map.of("tuning.racing.cooldown", 0.2)).options())
        .containsOnly(entry("tuning.racing.cooldown", 0.2), entry("tuning.racing.budget", 0));
  }

  /// The program's default batch is 128, a careful user's 64.
  @Test
  void whoIsToldTheDefaultIsToldTheCarefulUsers() throws IOException {
    Workload fashion = Workloads.builtIn().get("fashion-mlp");
    var cost = new CostModel(1e-3, 1e-5, 0, 1e-5, 1e-5, 1e-3);

    assertThat(batch(Contender.named("racing", Map.of()), fashion, cost)).isEqualTo(64);
    assertThat(batch(Contender.named("asha", Map.of()), fashion, cost)).isEqualTo(64);
    assertThat(batch(Contender.named("mltuner", Map.of()), fashion, cost)).isEqualTo(128);
    assertThat(batch(Contender.named("asha-as-published", Map.of()), fashion, cost)).isEqualTo(128);
    assertThat(Contender.named("racing", Map.of()).fitted(Workloads.builtIn().get("a9a-logreg")))
        .isEmpty();
  }

  private static double batch(Contender contender, Workload workload, CostModel cost) {
    return contender.plan(workload, cost, 1, 1).space().defaults().valueOr("batchSize", Double.NaN);
  }
}
