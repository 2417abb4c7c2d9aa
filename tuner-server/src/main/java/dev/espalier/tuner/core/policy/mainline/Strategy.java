package dev.espalier.tuner.core.policy.mainline;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.tuner.core.policy.job.History;
import java.util.List;

/// What makes one policy differ from another; everything else is the life of a job.
interface Strategy {
  /// {@return the setting of the mainline at `mainlineClock`}
  ///
  /// @param current the setting it has now
  Setting settingAt(long mainlineClock, Setting current);

  /// {@return the shape of the learning rate at `mainlineClock`, over clocks of the mainline}
  default Shape shapeAt(long mainlineClock) {
    return Shape.CONSTANT;
  }

  /// {@return the setting of the first branch}
  Setting firstSetting();

  /// {@return the first mainline clock after `mainlineClock` that has another setting or shape;
  /// `Long.MAX_VALUE` when there is none}
  long nextChangeAfter(long mainlineClock);

  /// {@return settings that hold every batch size the job may ever use}
  List<Setting> extremeSettings();

  /// {@return whether rounds may run at all}
  boolean isTuning();

  /// Judges the history after each new entry.
  ///
  /// @param retunes re-tuning rounds so far
  Ruling afterEvaluation(History history, int retunes);
}
