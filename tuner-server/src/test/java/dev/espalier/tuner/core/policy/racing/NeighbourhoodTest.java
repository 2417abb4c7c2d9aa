package dev.espalier.tuner.core.policy.racing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.race.Move;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class NeighbourhoodTest {
  private static final double STEP = 4;

  private final Neighbourhood neighbourhood =
      new Neighbourhood(
          new SearchSpace(
              List.of(
                  new Tunable.LogRange("learningRate", 1e-5, 1, 1e-3),
                  new Tunable.LinearRange("momentum", 0, 0.99, 0.9),
                  new Tunable.Choice("batchSize", List.of(16.0, 64.0, 256.0), 64))),
          STEP,
          1.5,
          List.of());

  private static Setting setting(double rate) {
    return Setting.of(Map.of("learningRate", rate, "momentum", 0.9, "batchSize", 64.0));
  }

  private List<Move> propose(double rate, int count) {
    return neighbourhood.propose(setting(rate), count, 0, _ -> true);
  }

  private static double rate(Move move) {
    return move.setting().valueOr("learningRate", Double.NaN);
  }

  private Move move(double rate, String key) {
    return propose(rate, 10).stream()
        .filter(move -> move.key().equals(key))
        .findFirst()
        .orElseThrow();
  }

  private void raced(Move challenger, boolean won) {
    neighbourhood.learn(
        List.of(challenger), Optional.of(challenger).filter(_ -> won), Optional.empty());
  }

  @Test
  void aLargerRateRacesFirst() {
    assertThat(propose(1e-3, 1)).extracting(Move::key).containsExactly("learningRate+");
    assertThat(rate(propose(1e-3, 1).getFirst())).isEqualTo(STEP * 1e-3);
  }

  @Test
  void whereALargerRateWonOneThatIsTwiceAsFarRacesBesideTheNext() {
    raced(move(1e-3, "learningRate+"), true);

    assertThat(propose(4e-3, 2).stream().map(NeighbourhoodTest::rate).toList())
        .usingComparatorForType(
            (a, b) -> Math.abs(a - b) < 1e-12 ? 0 : Double.compare(a, b), Double.class)
        .containsExactly(STEP * 4e-3, STEP * STEP * 4e-3);
    assertThat(propose(4e-3, 2)).extracting(Move::isLeap).containsExactly(false, true);
    assertThat(propose(4e-3, 4)).extracting(Move::key).doesNotContain("learningRate-");
  }

  @Test
  void aSmallerRateThatWonDoesNotLeap() {
    raced(move(1e-3, "learningRate-"), true);

    assertThat(propose(2.5e-4, 10))
        .filteredOn(move -> move.key().equals("learningRate-"))
        .hasSize(1);
  }

  @Test
  void aLeapThatLostBesideAStepThatWonTakesNothingFromIt() {
    raced(move(1e-3, "learningRate+"), true);
    List<Move> both = propose(4e-3, 2);

    neighbourhood.learn(both, Optional.of(both.getFirst()), Optional.empty());

    assertThat(propose(16e-3, 1).getFirst().key()).isEqualTo("learningRate+");
    assertThat(neighbourhood.step("learningRate")).isEqualTo(STEP);
  }

  @Test
  void whereNeitherRateWinsStepsShrinkAndOthersTakeTheirTurn() {
    raced(move(1e-3, "learningRate+"), false);

    assertThat(neighbourhood.step("learningRate")).isLessThan(STEP);
    assertThat(propose(1e-3, 1).getFirst().key()).isEqualTo("learningRate-");
  }

  @Test
  void whatLedWhenTimeWasUpHasNotLost() {
    Move bold = move(1e-3, "learningRate+");

    neighbourhood.learn(List.of(bold), Optional.empty(), Optional.of(bold));

    assertThat(neighbourhood.step("learningRate")).isEqualTo(STEP);
    assertThat(propose(1e-3, 1).getFirst().key()).isEqualTo("learningRate+");
  }

  @Test
  void aBoldRateThatWonYoungDefendsItselfWhenTheModelIsFourTimesAsOld() {
    Move bold = move(1e-3, "learningRate+");
    raced(bold, true);
    neighbourhood.replaced(setting(1e-3), bold, 10);

    assertThat(neighbourhood.propose(bold.setting(), 10, 39, _ -> true)).noneMatch(Move::isReturn);
    Move back = neighbourhood.propose(bold.setting(), 10, 40, _ -> true).getFirst();
    assertThat(back.isReturn()).isTrue();
    assertThat(back.setting()).isEqualTo(setting(1e-3));

    raced(back, false);

    assertThat(neighbourhood.propose(bold.setting(), 10, 80, _ -> true)).noneMatch(Move::isReturn);
  }

  @Test
  void aReturnThatLostDoesNotComeBackWhileAnotherMoveIsOpen() {
    Move bold = move(1e-3, "learningRate+");
    neighbourhood.replaced(setting(1e-3), bold, 10);
    Move back = neighbourhood.propose(bold.setting(), 10, 40, _ -> true).getFirst();
    Move larger = move(4e-3, "batchSize+");

    neighbourhood.learn(List.of(back, larger), Optional.empty(), Optional.of(larger));

    assertThat(neighbourhood.propose(bold.setting(), 10, 80, _ -> true)).noneMatch(Move::isReturn);
  }

  @Test
  void whereTheWayBackIsBarredTheStepDownIsThere() {
    Move bold = move(1e-3, "learningRate+");
    neighbourhood.replaced(setting(1e-3), bold, 10);
    neighbourhood.learn(List.of(move(4e-3, "learningRate-")), Optional.empty(), Optional.empty());
    neighbourhood
        .excluded()
        .bar(new Move("learningRate", false, setting(1e-3), Move.Kind.RETURN), 1000);

    assertThat(neighbourhood.propose(bold.setting(), 10, 100, _ -> true))
        .noneMatch(Move::isReturn)
        .anyMatch(move -> move.key().equals("learningRate-"));
  }

  @Test
  void whatOnlyARetreatOrAnotherBatchLeftDoesNotComeBack() {
    Move bold = move(1e-3, "learningRate+");
    neighbourhood.replaced(setting(1e-3), bold, 10);

    assertThat(neighbourhood.propose(setting(1.5e-3), 10, 100, _ -> true))
        .noneMatch(Move::isReturn);
    assertThat(neighbourhood.propose(bold.setting().with("batchSize", 256), 10, 100, _ -> true))
        .noneMatch(Move::isReturn);
  }

  @Test
  void eachTunableHasAStepOfItsOwn() {
    raced(move(1e-3, "learningRate+"), false);

    assertThat(neighbourhood.step("l2")).isEqualTo(STEP);
  }

  @Test
  void theRateMovesAlongWithBatchAndMomentum() {
    assertThat(rate(move(0.01, "batchSize+"))).isCloseTo(0.02, Offset.offset(1e-12));
    assertThat(rate(move(0.01, "momentum+"))).isCloseTo(0.005, Offset.offset(1e-12));
  }

  @Test
  void aRefutedWinnerWaitsLikeALoser() {
    Move bold = move(1e-3, "learningRate+");
    raced(bold, true);

    neighbourhood.unlearn(bold);

    assertThat(propose(1e-3, 1)).extracting(Move::key).doesNotContain("learningRate+");
  }

  @Test
  void whereAMoveCostWorkersNoneLeads() {
    Move larger = move(1e-3, "batchSize+");

    neighbourhood.excluded().bar(larger, 100);

    assertThat(propose(1e-3, 10)).extracting(Move::key).doesNotContain("batchSize+");
    assertThat(propose(1e-3, 10)).extracting(Move::key).contains("learningRate+", "momentum+");
    assertThat(neighbourhood.excluded().has(larger.setting().with("learningRate", 1e-4), 99))
        .isTrue();
    assertThat(neighbourhood.excluded().has(larger.setting(), 101)).isFalse();
  }

  @Test
  void withoutALearningRateOneThatBlewUpSaysNothingOfOthers() {
    Setting blewUp = Setting.of(Map.of("alpha", 0.1));

    neighbourhood.excluded().add(blewUp, 100);

    assertThat(neighbourhood.excluded().has(blewUp, 0)).isTrue();
    assertThat(neighbourhood.excluded().has(Setting.of(Map.of("alpha", 0.2)), 0)).isFalse();
  }

  @Test
  void aCalmerRateExistsInEachKindOfRange() {
    assertThat(calmer(new Tunable.LogRange("learningRate", 0.01, 1, 0.3), 0.3)).contains(0.1);
    assertThat(calmer(new Tunable.LogRange("learningRate", 0.01, 1, 0.3), 0.02)).contains(0.01);
    assertThat(calmer(new Tunable.LogRange("learningRate", 0.01, 1, 0.3), 0.01)).isEmpty();
    assertThat(calmer(new Tunable.LinearRange("learningRate", 0, 1, 0.3), 0.6)).contains(0.2);
    var choice = new Tunable.Choice("learningRate", List.of(0.01, 0.1, 0.3, 1.0), 0.3);
    assertThat(calmer(choice, 1)).contains(0.3);
    assertThat(calmer(choice, 0.3)).contains(0.1);
    assertThat(calmer(choice, 0.01)).isEmpty();
    assertThat(calmer(new Tunable.LogRange("alpha", 0.01, 1, 0.3), 0.3)).isEmpty();
  }

  @Test
  void aBolderRateExistsInEachKindOfRange() {
    assertThat(bolder(new Tunable.LogRange("learningRate", 0.01, 1, 0.3), 0.1)).contains(0.3);
    assertThat(bolder(new Tunable.LogRange("learningRate", 0.01, 1, 0.3), 0.5)).contains(1.0);
    assertThat(bolder(new Tunable.LogRange("learningRate", 0.01, 1, 0.3), 1)).isEmpty();
    var choice = new Tunable.Choice("learningRate", List.of(0.01, 0.1, 0.3, 1.0), 0.3);
    assertThat(bolder(choice, 0.01)).contains(0.1);
    assertThat(bolder(choice, 0.1)).contains(0.3);
    assertThat(bolder(choice, 0.3)).contains(1.0);
    assertThat(bolder(choice, 1)).isEmpty();
    assertThat(bolder(new Tunable.LogRange("alpha", 0.01, 1, 0.3), 0.3)).isEmpty();
  }

  private static Optional<Double> bolder(Tunable tunable, double rate) {
    return rate(one(tunable).bolder(Setting.of(Map.of("learningRate", rate)), 3));
  }

  private static Optional<Double> calmer(Tunable tunable, double rate) {
    return rate(one(tunable).calmer(Setting.of(Map.of("learningRate", rate)), 3));
  }

  private static Neighbourhood one(Tunable tunable) {
    return new Neighbourhood(new SearchSpace(List.of(tunable)), STEP, 1.5, List.of());
  }

  private static Optional<Double> rate(Optional<Setting> setting) {
    return setting.map(known -> Math.round(1e9 * known.valueOr("learningRate", 0)) / 1e9);
  }

  @Test
  void stepsAsLongAsOneThatBlewUpWait() {
    neighbourhood.excluded().add(setting(2e-3), 100);

    assertThat(propose(1e-3, 10))
        .allSatisfy(move ->
            assertThat(Move.reachOf(move.setting())).isLessThan(Move.reachOf(setting(2e-3))));
    assertThat(neighbourhood.excluded().has(setting(4e-3), 101)).isFalse();
  }
}
