package dev.espalier.tuner.core.policy.job;

import dev.espalier.api.model.Goal;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// The validation results of the mainline, and the plateau rule on them.
///
/// A plateau of P (MLtuner, section 4.4, and its `decide_accuracy_plateaued`): there are at least P
/// + 1 results, and the best of the last P is not strictly better than the best before them; a tie
///   is a plateau. The history is not reset by re-tuning.
public final class History {
  /// One result.
  ///
  /// @param start that was evaluated, from 1
  /// @param value of the metric that judges the model; NaN is worse than every number
  /// @param loss on the same samples, which tells between results that are equal by that metric;
  ///   NaN where the metric is a loss, or there is none
  public record Entry(int start, long mainlineClock, double epoch, double value, double loss) {
    /// A result without a loss beside it.
    public Entry(int start, long mainlineClock, double epoch, double value) {
      this(start, mainlineClock, epoch, value, Double.NaN);
    }
  }

  private final Goal goal;
  private final List<Entry> entries = new ArrayList<>();

  /// Places of entries that `range` passes over.
  private final BitSet strays = new BitSet();

  public History(Goal goal) {
    this.goal = goal;
  }

  /// Takes in the latest result.
  public void add(Entry entry) {
    entries.add(entry);
  }

  /// Forgets what came after a checkpoint.
  public void truncate(int size) {
    entries.subList(Math.min(size, entries.size()), entries.size()).clear();
    strays.clear(entries.size(), Math.max(entries.size(), strays.length()));
  }

  /// {@return how many results there are}
  public int size() {
    return entries.size();
  }

  /// {@return how many results there are up to one of them, that among them}
  public int sizeUpTo(Entry entry) {
    return entries.indexOf(entry) + 1;
  }

  /// {@return all results in order; NaN where there was none}
  public List<Double> values() {
    return entries.stream().map(Entry::value).toList();
  }

  /// {@return the first entry that none beats; empty when no result is a number}
  public Optional<Entry> best() {
    return best(entries);
  }

  /// {@return the value of the last entry; NaN without one}
  public double latest() {
    return entries.isEmpty() ? Double.NaN : entries.getLast().value();
  }

  /// {@return the value of the last result at a clock of a start; NaN without one}
  public double valueAt(int start, long mainlineClock) {
    return entries.reversed().stream()
        .filter(entry -> entry.start() == start && entry.mainlineClock() == mainlineClock)
        .findFirst()
        .map(Entry::value)
        .orElse(Double.NaN);
  }

  /// Has `range` pass over the last entry: one result that exploded would make all others look
  /// alike.
  public void leaveLatestOutOfRange() {
    if (!entries.isEmpty()) {
      strays.set(entries.size() - 1);
    }
  }

  /// {@return how far apart the best and the worst finite value are, without those left out of it;
  /// 0 without any}
  public double range() {
    var values =
        IntStream.range(0, entries.size())
            .filter(place -> !strays.get(place))
            .mapToDouble(place -> entries.get(place).value())
            .filter(Double::isFinite)
            .summaryStatistics();
    return values.getCount() == 0 ? 0 : values.getMax() - values.getMin();
  }

  /// {@return whether the last results are a plateau}
  ///
  /// @param epochs how many results: P, >= 1
  public boolean isPlateau(int epochs) {
    int before = entries.size() - epochs;
    if (before < 1) {
      return false;
    }
    Optional<Entry> late = best(entries.subList(before, entries.size()));
    Optional<Entry> early = best(entries.subList(0, before));
    boolean isNewBest =
        late.isPresent()
            && (early.isEmpty() || goal.isBetter(late.get().value(), early.get().value()));
    return !isNewBest;
  }

  /// {@return whether one result is better than another: by the metric, or where that is equal, as
  /// accuracies on few samples often are, by the loss}
  public boolean isBetter(Entry one, Entry other) {
    return goal.isBetter(one.value(), other.value())
        || (one.value() == other.value() && one.loss() < other.loss());
  }

  private Optional<Entry> best(List<Entry> part) {
    Optional<Entry> best = Optional.empty();
    for (Entry entry : part) {
      boolean isFirst = best.isEmpty() && !Double.isNaN(entry.value());
      if (isFirst || (best.isPresent() && isBetter(entry, best.get()))) {
        best = Optional.of(entry);
      }
    }
    return best;
  }
}
