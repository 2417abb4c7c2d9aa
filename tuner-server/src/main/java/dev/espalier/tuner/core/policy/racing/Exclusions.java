package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.race.Move;
import java.util.ArrayList;
import java.util.List;

/// Settings that a job keeps away from for a while, for training blew up or workers were lost with
/// them.
final class Exclusions {
  private static final double ROUNDING = 1e-9;

  /// Steps that are too long.
  private record TooFar(double reach, double untilSeconds) {}

  /// Settings that have these values.
  private record Barred(Setting values, double untilSeconds) {
    boolean has(Setting setting) {
      return setting.with(values).equals(setting);
    }
  }

  private final List<TooFar> tooFar = new ArrayList<>();
  private final List<Barred> barred = new ArrayList<>();

  /// Keeps away, up to a time, from settings whose steps are as long as that of one that blew up.
  ///
  /// A setting without a learning rate says nothing about others, and is kept away from alone.
  void add(Setting setting, double untilSeconds) {
    if (Move.reachOf(setting) > 0) {
      tooFar.add(new TooFar(Move.reachOf(setting), untilSeconds));
    } else {
      barred.add(new Barred(setting, untilSeconds));
    }
  }

  /// Keeps away, up to a time, from where a move leads: from all settings with its tunable's new
  /// value, for a batch that does not fit into memory does so at no rate.
  void bar(Move move, double untilSeconds) {
    double value = move.setting().valueOr(move.tunable(), Double.NaN);
    Setting values =
        Double.isNaN(value) ? move.setting() : Setting.EMPTY.with(move.tunable(), value);
    barred.add(new Barred(values, untilSeconds));
  }

  /// {@return whether a setting is one to keep away from}
  boolean has(Setting setting, double nowSeconds) {
    return barred.stream().anyMatch(part -> part.untilSeconds() > nowSeconds && part.has(setting))
        || tooFar.stream()
            .anyMatch(part ->
                part.untilSeconds() > nowSeconds
                    && Move.reachOf(setting) >= part.reach() * (1 - ROUNDING));
  }
}
