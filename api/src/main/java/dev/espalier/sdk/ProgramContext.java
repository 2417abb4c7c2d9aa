package dev.espalier.sdk;

import dev.espalier.api.model.Setting;
import java.util.random.RandomGenerator;

/// Everything that one clock may touch.
public interface ProgramContext {
  /// {@return what the branch runs with}
  Setting setting();

  /// {@return this worker's number, from 0}
  int worker();

  /// {@return how many workers train together}
  int workers();

  /// {@return the table of this name}
  ///
  /// @throws IllegalArgumentException when the program declared none
  ParameterTable table(String name);

  /// {@return indices of this worker's samples of the clock, in [0, trainingSamples); empty outside
  /// `clock`}
  int[] samples();

  /// {@return clocks that this branch and its ancestors have completed}
  long clock();

  /// {@return a stream that depends on seed, worker and `clock()` alone, so siblings see the same}
  RandomGenerator random();
}
