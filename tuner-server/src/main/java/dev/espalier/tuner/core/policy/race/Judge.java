package dev.espalier.tuner.core.policy.race;

import dev.espalier.api.model.Setting;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/*
 * After each rung who is worse than the leader, and not by chance, leaves (a bolder rate only if its
 * forecast is worse, too, or it does harm); so does who is not among the best third. The incumbent
 * leaves only for who is shown to beat it.
 *
 * At the end a challenger wins only if it beats the incumbent, and not by chance: a bolder one now
 * or in the forecast, a calmer one rung after rung.
 *
 * The test says that two models differ. Whether their settings do is another question: two runs of
 * one setting differ, too, by the order of their samples. So what costs a job most, to go on too
 * calmly, takes two rungs that agree, for what is chance in one is drawn anew in the next. So does
 * a leap, two steps at once to a larger rate: what it gains in a short trial of a young model it may
 * lose soon. Where it leads for the first time the others are judged without it, and it meets the
 * best of them in the next rung.
 *
 * A loss tells soonest which model is better, but it may fall where the metric that counts does
 * not: a bolder rate makes a young classifier surer, not righter. So who is shown to be worse by
 * that metric does not win, whatever its loss.
 *
 * All entrants start cool (the parent's rate had fallen to zero) and are compared cool, so a smaller
 * rate does not win by merely quieting noise: the short-horizon bias of Wu et al. 2018.
 */

/// Who leaves a race and who wins it, by losses on the same blocks of samples.
final class Judge {
  private static final int SURVIVORS = 3;
  private static final double BOLDER = 1.01;

  private final Pace pace;
  private final double confidence;
  private final double horizonSeconds;
  private final int challengers;

  /// Who was shown to beat the incumbent when that left.
  private final List<Entrant> beatIncumbent = new ArrayList<>();

  private List<Double> parentLosses = List.of();

  /// An entrant that must leave.
  ///
  /// @param difference to the one that it lost against
  record Loser(Entrant entrant, String rule, String why, PairedDifference difference) {}

  /// How a race is decided.
  ///
  /// @param open the challenger that leads, but could not be shown to beat the incumbent, which is
  ///   the winner then
  record Verdict(Entrant winner, Optional<Move> open) {}

  /// @param pace how long clocks of a setting take
  /// @param confidence of a difference that is not taken for chance, in (0.5, 1)
  /// @param horizonSeconds how far ahead losses are forecast, counted from the fork
  /// @param challengers how many entered, >= 1
  Judge(Pace pace, double confidence, double horizonSeconds, int challengers) {
    this.pace = pace;
    this.confidence = confidence;
    this.horizonSeconds = horizonSeconds;
    this.challengers = challengers;
  }

  /// Takes in the losses of the snapshot that all start from.
  void parentProbed(List<Double> losses) {
    parentLosses = losses;
  }

  /// {@return mean loss of the snapshot that all start from; NaN before it was probed}
  double parentLoss() {
    return Entrant.mean(parentLosses);
  }

  /// {@return how one differs from another in the last probes}
  PairedDifference now(Entrant one, Entrant other) {
    return PairedDifference.of(one.losses(), other.losses(), confidence);
  }

  /// {@return how one differs from another in the program's first metric in the last probes; no
  /// pairs where the losses are of that metric, or it was not measured}
  PairedDifference byMetric(Entrant one, Entrant other) {
    return PairedDifference.of(one.scores(), other.scores(), confidence);
  }

  /// {@return how one differed from another in the probes before the last}
  private PairedDifference before(Entrant one, Entrant other) {
    return PairedDifference.of(one.lossesBefore(), other.lossesBefore(), confidence);
  }

  /// {@return how one differs from another at the horizon, as their last probes let expect}
  PairedDifference ahead(Entrant one, Entrant other) {
    return PairedDifference.of(
        one.forecast(horizonSeconds), other.forecast(horizonSeconds), confidence);
  }

  /// {@return who has the least loss}
  ///
  /// @param left at least one
  static Entrant leader(List<Entrant> left) {
    return left.stream().min(Comparator.comparingDouble(Entrant::loss)).orElseThrow();
  }

  // After a rung.

  /// {@return who must leave, those that the leader dominates first}
  ///
  /// @param left all who ran the rung, at least one
  /// @param rung from 1
  List<Loser> losers(List<Entrant> left, int rung) {
    Optional<Entrant> unproven = unprovenLeap(left);
    List<Entrant> judged =
        left.stream().filter(entrant -> unproven.filter(entrant::equals).isEmpty()).toList();
    Entrant leader = leader(judged);
    List<Entrant> dominated =
        judged.stream().filter(entrant -> isDominated(entrant, leader, rung)).toList();
    dominated.stream()
        .filter(Entrant::isIncumbent)
        .forEach(incumbent -> rememberWhoBeat(incumbent, left));
    List<Entrant> others = judged.stream().filter(entrant -> !dominated.contains(entrant)).toList();
    // Where the incumbent has left, the best of those that beat it takes its place.
    boolean isOneOfBest = unproven.isPresent() && others.stream().anyMatch(Entrant::isIncumbent);
    int stay = staying(challengers, rung) - (isOneOfBest ? 1 : 0);
    return Stream.concat(
            dominated.stream().map(entrant -> dominated(entrant, leader)),
            beyondBest(others, stay, staying(challengers, rung)).stream())
        .toList();
  }

  /// {@return the leap that leads, if it did not lead the next best in the rung before, too}
  private Optional<Entrant> unprovenLeap(List<Entrant> left) {
    Entrant leader = leader(left);
    return left.stream()
        .filter(entrant -> entrant != leader)
        .min(Comparator.comparingDouble(Entrant::loss))
        .filter(next -> isLeap(leader) && !ledBefore(leader, next))
        .map(_ -> leader);
  }

  private static boolean isLeap(Entrant entrant) {
    return entrant.move().filter(Move::isLeap).isPresent();
  }

  private boolean ledBefore(Entrant one, Entrant other) {
    return before(one, other).mean() < 0;
  }

  private boolean isDominated(Entrant entrant, Entrant leader, int rung) {
    if (entrant == leader || !now(entrant, leader).isWorse()) {
      return false;
    }
    return entrant.isIncumbent()
        ? isShownToBeat(leader, entrant)
        : !mayComeBack(entrant, leader, rung);
  }

  private Loser dominated(Entrant entrant, Entrant leader) {
    return new Loser(
        entrant, "racing.dominated", "is worse than " + leader.inWords(), now(entrant, leader));
  }

  private void rememberWhoBeat(Entrant incumbent, List<Entrant> left) {
    left.stream()
        .filter(other -> other != incumbent && isShownToBeat(other, incumbent))
        .forEach(beatIncumbent::add);
  }

  /// A bolder rate gains later than a calmer one, so it is not out as long as it does no harm and,
  /// once it was seen twice, may catch up.
  private boolean mayComeBack(Entrant entrant, Entrant leader, int rung) {
    return isBolder(entrant, leader)
        && (rung == 1 || !ahead(entrant, leader).isWorse())
        && !PairedDifference.of(entrant.losses(), parentLosses, confidence).isWorse();
  }

  /// A larger batch at the same rate makes fewer steps in the same time.
  private boolean isBolder(Entrant one, Entrant other) {
    return stepsPerSecond(one) > BOLDER * stepsPerSecond(other);
  }

  /// {@return how far a constant gradient would take an entrant in a second: rate / (1 - momentum),
  /// for each clock}
  ///
  /// What its own clocks took is too noisy: settings of one pace would differ by chance.
  double stepsPerSecond(Entrant entrant) {
    Setting setting = entrant.branch().setting();
    return Move.reachOf(setting)
        / pace.secondsPerClock(setting).orElseGet(entrant.branch()::secondsPerClock);
  }

  /// Of the challengers the best stay; the incumbent stays unless it is dominated.
  ///
  /// @param stay how many of `left`
  /// @param best how many of all challengers, a leap that is judged later among them
  private List<Loser> beyondBest(List<Entrant> left, int stay, int best) {
    List<Entrant> ranked =
        left.stream()
            .filter(entrant -> !entrant.isIncumbent())
            .sorted(Comparator.comparingDouble(Entrant::loss))
            .toList();
    return ranked.stream()
        .skip(stay)
        .map(entrant ->
            new Loser(
                entrant,
                "racing.halving",
                "is not among the best " + best,
                now(entrant, ranked.getFirst())))
        .toList();
  }

  /// {@return how many of the challengers that entered may go on after a rung: the best third of
  /// those before, rounded up}
  static int staying(int challengers, int rung) {
    return Math.max(1, Math.ceilDiv(challengers, pow(SURVIVORS, rung)));
  }

  private static int pow(int base, int exponent) {
    int power = 1;
    for (int i = 0; i < exponent; i++) {
      power *= base;
    }
    return power;
  }

  // At the end.

  /// {@return who wins of those left: where the incumbent has left, the best of those that beat it;
  /// against an incumbent that is still there a challenger only if it is not chance}
  ///
  /// @param left at least one
  Verdict verdict(List<Entrant> left) {
    Optional<Entrant> incumbent = left.stream().filter(Entrant::isIncumbent).findFirst();
    List<Entrant> shown =
        left.stream()
            .filter(entrant ->
                incumbent
                    .map(unbeaten -> entrant != unbeaten && isShownToBeat(entrant, unbeaten))
                    .orElseGet(() -> beatIncumbent.contains(entrant)))
            .toList();
    if (!shown.isEmpty() || incumbent.isEmpty()) {
      // Where all that beat it have left since, those that are there are better than them.
      return new Verdict(bestAhead(shown.isEmpty() ? left : shown), Optional.empty());
    }
    return left.stream()
        .filter(entrant -> isBackAhead(entrant, incumbent.get()))
        .findFirst()
        .map(back -> new Verdict(back, Optional.empty()))
        .orElseGet(() -> new Verdict(incumbent.get(), bestAhead(left).move()));
  }

  private Entrant bestAhead(List<Entrant> entrants) {
    return entrants.stream()
        .min(Comparator.comparingDouble(entrant -> Entrant.mean(entrant.forecast(horizonSeconds))))
        .orElseThrow();
  }

  /// A bolder rate won by what short trials of a young model said, and the best rate falls with the
  /// model's age. So it defends itself once: the rate that it replaced wins if it leads in both of
  /// the last rungs, by chance or not. If that was chance, the bolder one races it next.
  private boolean isBackAhead(Entrant entrant, Entrant incumbent) {
    return entrant.move().filter(Move::isReturn).isPresent()
        && !byMetric(entrant, incumbent).isWorse()
        && now(entrant, incumbent).mean() < 0
        && ledBefore(entrant, incumbent);
  }

  /// The job's next lap and all after it are longer than a race, so the lines through what was
  /// probed are carried on, too. A bolder rate pays at once for what it gains later: it wins if it
  /// is better now or then; a leap if it is better now and led in the rung before. A calmer rate
  /// must be better in both of the last rungs and then, and not by chance now and in one of the
  /// other two. None may be worse by the metric that counts.
  private boolean isShownToBeat(Entrant best, Entrant incumbent) {
    if (byMetric(best, incumbent).isWorse()) {
      return false;
    }
    boolean isBetterNow = now(best, incumbent).isBetter();
    if (isLeap(best)) {
      return isBetterNow && ledBefore(best, incumbent);
    }
    PairedDifference later = ahead(best, incumbent);
    if (!isBolder(incumbent, best)) {
      return isBetterNow || (isBolder(best, incumbent) && later.isBetter());
    }
    PairedDifference earlier = before(best, incumbent);
    return isBetterNow
        && earlier.mean() < 0
        && later.mean() < 0
        && (earlier.isBetter() || later.isBetter());
  }
}
