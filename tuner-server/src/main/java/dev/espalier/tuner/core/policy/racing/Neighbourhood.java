package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.race.Move;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// Which settings beside the incumbent are worth racing next.
///
/// Each tunable has two moves, up and down. A rate moves by a factor that begins large and shrinks
/// when neither side wins; momentum moves its distance from 1 by two, a choice to its neighbour.
/// Where batch size or momentum moves, the learning rate moves along: with the root of the batch
/// (Krizhevsky 2014, section 5; between plain rules, for which the batch itself would do, and
/// adaptive ones, which need nothing), and with one less the momentum, so that the step that a
/// constant gradient comes to stays as long as it was.
///
/// A move that won is tried again, further; one that lost waits. Deterministic.
final class Neighbourhood {
  private static final double SAME = 1e-9;
  private static final double LEAST_FACTOR = 1.15;
  private static final double LOST = 0.4;
  private static final double WON = 3;
  private static final double RECOVERY = 1.25;
  private static final double MOST = 4;
  private static final double MOMENTUM_FACTOR = 2;
  private static final String WISH = "earlier job";
  private static final double LINEAR_STEP = 0.2;
  private static final double MOST_MOMENTUM = 0.995;
  private static final double LEAST_MOMENTUM = 0.3;

  /// How many times older a model must be than when a bolder rate won, before that defends itself.
  private static final double OLDER = 4;

  /// A rate that is smaller by less than this is not worth a race of its own.
  private static final double RETURN_FACTOR = 1.9;

  /// A setting that a bolder rate replaced.
  private record Replaced(Setting setting, double atSeconds) {}

  private final SearchSpace space;
  private final double leastStep;
  private final Map<String, Double> worth = new HashMap<>();
  private final List<Setting> wished = new ArrayList<>();
  private final Map<String, Double> steps = new HashMap<>();
  private final double firstStep;
  private final Exclusions excluded = new Exclusions();
  private Optional<Replaced> replaced = Optional.empty();
  private Optional<Move> lastWinner = Optional.empty();

  /// @param firstStep factor of the first moves of a rate, > 1
  /// @param leastStep smallest factor, > 1
  /// @param wished settings to race before all others, best first
  Neighbourhood(SearchSpace space, double firstStep, double leastStep, List<Setting> wished) {
    this.space = space;
    this.firstStep = firstStep;
    this.leastStep = leastStep;
    this.wished.addAll(wished);
  }

  /// {@return where no move leads for now}
  Exclusions excluded() {
    return excluded;
  }

  /// {@return by which factor a tunable with a logarithmic range moves}
  double step(String tunable) {
    return steps.getOrDefault(tunable, firstStep);
  }

  /// {@return at most `count` settings to race against `incumbent`, the most promising first}
  ///
  /// @param isPossible whether a job can train with a setting at all
  List<Move> propose(
      Setting incumbent, int count, double nowSeconds, Predicate<Setting> isPossible) {
    var moves = new ArrayList<Move>();
    for (Setting wish : wished) {
      Setting setting = incumbent.with(wish);
      if (!setting.equals(incumbent)) {
        moves.add(new Move(WISH, true, setting));
      }
    }
    Predicate<Move> isOpen =
        move -> !excluded.has(move.setting(), nowSeconds) && isPossible.test(move.setting());
    Optional<Move> back = wayBack(incumbent, nowSeconds).filter(isOpen);
    back.ifPresent(moves::add);
    List<Move> ways = new ArrayList<>();
    for (Tunable tunable : space.tunables()) {
      for (boolean up : new boolean[] {true, false}) {
        go(incumbent, tunable, up).ifPresent(ways::add);
      }
    }
    leap(incumbent).ifPresent(ways::add);
    ways.sort(Comparator.comparingDouble((Move move) -> -worth(move)));
    ways.stream()
        .filter(way -> back.filter(move -> move.key().equals(way.key())).isEmpty())
        .forEach(moves::add);
    return moves.stream().filter(isOpen).limit(count).toList();
  }

  /// Back to what a bolder rate replaced, if nothing but that changed since, and long ago.
  private Optional<Move> wayBack(Setting incumbent, double nowSeconds) {
    return replaced
        .filter(before -> nowSeconds >= OLDER * before.atSeconds())
        .map(Replaced::setting)
        .filter(before ->
            rateOf(incumbent) >= RETURN_FACTOR * rateOf(before)
                && before.equals(incumbent.with(Tunable.LEARNING_RATE, rateOf(before))))
        .map(before -> new Move(Tunable.LEARNING_RATE, false, before, Move.Kind.RETURN));
  }

  private static double rateOf(Setting setting) {
    return setting.valueOr(Tunable.LEARNING_RATE, 0);
  }

  private double worth(Move move) {
    double first =
        switch (move.tunable()) {
          case Tunable.LEARNING_RATE -> 1;
          case Tunable.BATCH_SIZE -> 0.6;
          case Tunable.MOMENTUM -> 0.4;
          default -> 0.3;
        };
    return worth.getOrDefault(move.key(), first);
  }

  /// Where a larger rate has just won the best may be far off, so one that is twice as far races
  /// beside the next. A smaller one wins short races too easily for that.
  private Optional<Move> leap(Setting from) {
    return space.tunables().stream()
        .filter(Tunable.LogRange.class::isInstance)
        .filter(tunable -> isUp(lastWinner, tunable))
        .findFirst()
        .flatMap(tunable ->
            go(from, tunable, true)
                .flatMap(first -> go(first.setting(), tunable, true))
                .map(move -> new Move(tunable.name(), true, move.setting(), Move.Kind.LEAP)));
  }

  private static boolean isUp(Optional<Move> move, Tunable tunable) {
    return move.filter(won -> won.up() && won.tunable().equals(tunable.name())).isPresent();
  }

  private Optional<Move> go(Setting from, Tunable tunable, boolean up) {
    double value = from.valueOr(tunable.name(), tunable.defaultValue());
    double next = next(tunable, value, up);
    if (Double.isNaN(next) || !tunable.contains(next)) {
      return Optional.empty();
    }
    Setting moved = from.with(tunable.name(), next);
    double factor =
        switch (tunable.name()) {
          case Tunable.BATCH_SIZE -> Math.sqrt(next / value);
          case Tunable.MOMENTUM -> (1 - next) / (1 - value);
          default -> 1;
        };
    return Optional.of(new Move(tunable.name(), up, withRate(moved, factor)));
  }

  private double next(Tunable tunable, double value, boolean up) {
    return switch (tunable) {
      case Tunable.LogRange range -> {
        double step = step(tunable.name());
        double next = Math.clamp(up ? value * step : value / step, range.min(), range.max());
        yield Math.max(next / value, value / next) < LEAST_FACTOR ? Double.NaN : next;
      }
      case Tunable.LinearRange range when tunable.name().equals(Tunable.MOMENTUM) -> {
        double distance = up ? (1 - value) / MOMENTUM_FACTOR : (1 - value) * MOMENTUM_FACTOR;
        double next = 1 - distance;
        if (!up && next < LEAST_MOMENTUM) {
          next = 0;
        }
        next = Math.clamp(next, range.min(), Math.min(range.max(), MOST_MOMENTUM));
        yield Math.abs(next - value) < (1 - value) * (LEAST_FACTOR - 1) ? Double.NaN : next;
      }
      case Tunable.LinearRange range -> {
        double unit = range.toUnit(value);
        double next = Math.clamp(up ? unit + LINEAR_STEP : unit - LINEAR_STEP, 0, 1);
        yield Math.abs(next - unit) < SAME ? Double.NaN : range.fromUnit(next);
      }
      case Tunable.Choice choice -> {
        List<Double> sorted = choice.values().stream().sorted().toList();
        int place = sorted.indexOf(value);
        int next = up ? place + 1 : place - 1;
        yield place < 0 || next < 0 || next >= sorted.size() ? Double.NaN : sorted.get(next);
      }
    };
  }

  private Setting withRate(Setting setting, double factor) {
    return factor == 1
        ? setting
        : learningRate()
            .map(tunable ->
                setting.with(
                    Tunable.LEARNING_RATE,
                    nearest(
                        tunable,
                        setting.valueOr(Tunable.LEARNING_RATE, tunable.defaultValue()) * factor)))
            .orElse(setting);
  }

  private Optional<Tunable> learningRate() {
    return space.tunables().stream()
        .filter(tunable -> tunable.name().equals(Tunable.LEARNING_RATE))
        .findFirst();
  }

  private static double nearest(Tunable tunable, double rate) {
    return switch (tunable) {
      case Tunable.LogRange range -> Math.clamp(rate, range.min(), range.max());
      case Tunable.LinearRange range -> Math.clamp(rate, range.min(), range.max());
      case Tunable.Choice choice ->
          choice.values().stream()
              .min(Comparator.comparingDouble(value -> Math.abs(value - rate)))
              .orElseThrow();
    };
  }

  /// Learns how a race went.
  ///
  /// @param raced all moves that were raced
  /// @param winner the one that was adopted; empty when the incumbent stayed
  /// @param open one that led when time was up, but could have led by chance; it is raced again
  void learn(List<Move> raced, Optional<Move> winner, Optional<Move> open) {
    worth.replaceAll((_, old) -> Math.min(MOST, old * RECOVERY));
    lastWinner = winner;
    raced.stream()
        .collect(Collectors.groupingBy(Move::key, LinkedHashMap::new, Collectors.toList()))
        .forEach((key, moves) -> {
          boolean isWinner = winner.filter(moves::contains).isPresent();
          boolean isOpen = open.filter(moves::contains).isPresent();
          double factor = isWinner ? WON : isOpen ? 1 : LOST;
          worth.put(key, Math.clamp(worth(moves.getFirst()) * factor, 0.02, MOST));
        });
    // Whence a step up came is no news. A race may be too short to see what a calmer rate costs, so
    // the one before races it next.
    winner.filter(Move::up).ifPresent(move -> worth.merge(move.back(), LOST, Math::min));
    winner.filter(Neighbourhood::isCalmer).ifPresent(move -> worth.put(move.back(), MOST));
    wished.removeIf(
        wish -> raced.stream().anyMatch(move -> move.setting().equals(move.setting().with(wish))));
    if (raced.stream().anyMatch(Move::isReturn) && open.filter(Move::isReturn).isEmpty()) {
      replaced = Optional.empty();
    }
    raced.stream()
        .map(Move::tunable)
        .distinct()
        .filter(tunable ->
            winner.or(() -> open).filter(move -> move.tunable().equals(tunable)).isEmpty())
        .forEach(tunable -> steps.put(tunable, Math.max(leastStep, Math.pow(step(tunable), 0.7))));
  }

  /// Learns which setting a winner replaced.
  void replaced(Setting incumbent, Move winner, double nowSeconds) {
    boolean isRate = winner.tunable().equals(Tunable.LEARNING_RATE);
    if (isRate && rateOf(winner.setting()) >= RETURN_FACTOR * rateOf(incumbent)) {
      replaced = Optional.of(new Replaced(incumbent, nowSeconds));
    }
  }

  private static boolean isCalmer(Move move) {
    return move.tunable().equals(Tunable.LEARNING_RATE) && !move.up();
  }

  /// What won was wrong after all: it waits like one that lost.
  void unlearn(Move won) {
    worth.put(won.key(), worth(won) / WON * LOST);
    worth.remove(won.back());
    lastWinner = Optional.empty();
    replaced = Optional.empty();
  }

  /// {@return the neighbour of `from` in one tunable; empty where there is none}
  Optional<Setting> beside(Setting from, String tunable, boolean up) {
    return space.tunables().stream()
        .filter(known -> known.name().equals(tunable))
        .findFirst()
        .flatMap(known -> go(from, known, up))
        .map(Move::setting);
  }

  /// {@return `setting` with a learning rate that is smaller by `factor`, as far as its range goes:
  /// of a choice the largest that is not above that, or else the smallest; empty where there is no
  /// smaller one}
  Optional<Setting> calmer(Setting setting, double factor) {
    return withRateTimes(setting, 1 / factor);
  }

  /// {@return `setting` with a learning rate that is larger by `factor`, as far as its range goes:
  /// of a choice the smallest that is not below that, or else the largest; empty where there is no
  /// larger one}
  Optional<Setting> bolder(Setting setting, double factor) {
    return withRateTimes(setting, factor);
  }

  private Optional<Setting> withRateTimes(Setting setting, double factor) {
    return learningRate()
        .flatMap(tunable -> {
          double rate = setting.valueOr(Tunable.LEARNING_RATE, tunable.defaultValue());
          double moved = beyond(tunable, rate, rate * factor);
          return moved == rate
              ? Optional.empty()
              : Optional.of(setting.with(Tunable.LEARNING_RATE, moved));
        });
  }

  /// {@return the value on the wanted side of a rate that goes as far as `wanted`, or else as far
  /// as there is; the rate itself where there is none}
  private static double beyond(Tunable tunable, double rate, double wanted) {
    boolean up = wanted > rate;
    if (!(tunable instanceof Tunable.Choice choice)) {
      double moved = nearest(tunable, wanted);
      return moved > rate == up ? moved : rate;
    }
    List<Double> side =
        choice.values().stream()
            .filter(value -> value != rate && value > rate == up)
            .sorted(up ? Comparator.naturalOrder() : Comparator.reverseOrder())
            .toList();
    return side.stream()
        .filter(value -> up ? value >= wanted * (1 - SAME) : value <= wanted * (1 + SAME))
        .findFirst()
        .orElse(side.isEmpty() ? rate : side.getLast());
  }
}
