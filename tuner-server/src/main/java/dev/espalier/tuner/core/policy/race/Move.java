package dev.espalier.tuner.core.policy.race;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;

/// One way to go from a setting: what a challenger does differently.
///
/// @param tunable what moves
/// @param up which way
/// @param setting where it leads
/// @param kind what it must show to win
public record Move(String tunable, boolean up, Setting setting, Kind kind) {
  /// What a move must show to win.
  public enum Kind {
    /// To a neighbour: what is asked of a bolder rate or of a calmer one.
    STEP,
    /// Two steps at once to a larger rate: that it leads in two rungs, and not by chance where the
    /// incumbent is still in the last.
    LEAP,
    /// Back to the rate that a bolder one replaced when the model was young: that it leads in two
    /// rungs, by chance or not.
    RETURN
  }

  /// A step.
  public Move(String tunable, boolean up, Setting setting) {
    this(tunable, up, setting, Kind.STEP);
  }

  /// {@return whether it leads back to the rate that a bolder one replaced}
  public boolean isReturn() {
    return kind == Kind.RETURN;
  }

  /// {@return whether it is two steps at once}
  public boolean isLeap() {
    return kind == Kind.LEAP;
  }

  /// {@return how far steps go that follow a constant gradient: rate / (1 - momentum); 0 for a
  /// setting without a learning rate}
  public static double reachOf(Setting setting) {
    return setting.valueOr(Tunable.LEARNING_RATE, 0) / (1 - setting.valueOr(Tunable.MOMENTUM, 0));
  }

  /// {@return what it is known by: its tunable, and + or -}
  public String key() {
    return key(up);
  }

  /// {@return the key of the opposite move}
  public String back() {
    return key(!up);
  }

  private String key(boolean way) {
    return tunable + (way ? "+" : "-");
  }
}
