package dev.espalier.sdk;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// Everything that one call of a program may touch; [TrainingProgram] says what differs by the
/// call.
public interface ProgramContext {
  /// {@return what the branch runs with}
  Setting setting();

  /// {@return the learning rate of this clock: the setting's, or 0.01 where it names none, as far
  /// as it has been let fall; 0 outside `clock`}
  ///
  /// For programs that change rows themselves; others leave it to the update rules.
  default double learningRate() {
    return setting().valueOr(Tunable.LEARNING_RATE, Tunable.DEFAULT_LEARNING_RATE);
  }

  /// {@return this worker's number, from 0}
  int worker();

  /// {@return how many workers train together}
  int workers();

  /// {@return this worker's part of the numbers in [from, to): every `workers()`-th, so that the
  /// workers' parts differ by one number at most and make up the whole}
  ///
  /// For `evaluate`, whose samples are not dealt out as those of `clock` are.
  default int[] share(int from, int to) {
    return IntStream.iterate(from + worker(), number -> number < to, number -> number + workers())
        .toArray();
  }

  /// {@return this worker's part of the numbers in [from, to), cut into batches; the last one may
  /// be smaller}
  ///
  /// @param size of a batch, >= 1
  default List<int[]> shareInBatches(int from, int to, int size) {
    int[] share = share(from, to);
    return IntStream.range(0, Math.ceilDiv(share.length, size))
        .mapToObj(i -> Arrays.copyOfRange(share, i * size, Math.min(share.length, (i + 1) * size)))
        .toList();
  }

  /// {@return whether `evaluate` is to measure a part of the validation samples, the one that
  /// [#share] gives, and nothing else, for branches are judged by it: a test set is of no use then}
  default boolean isPart() {
    return false;
  }

  /// {@return the table of this name}
  ///
  /// @throws IllegalArgumentException when the program declared none
  ParameterTable table(String name);

  /// {@return indices of the samples that are this worker's to train on in `clock`, or to measure
  /// in `loss`, in [0, trainingSamples); empty in all other calls}
  int[] samples();

  /// {@return indices of this worker's samples of the clock after this one, where it pays to know
  /// them; otherwise empty}
  default int[] nextSamples() {
    return new int[0];
  }

  /// {@return clocks that this branch and its ancestors have completed}
  long clock();

  /// {@return this clock's random numbers, one stream however often it is asked for: a second call
  /// goes on where the first one's user stopped}
  ///
  /// It depends on seed, worker and `clock()` alone, so siblings see the same; in `loss` on the
  /// samples in place of the clock, so that branches of any age are measured with the same. Belongs
  /// to the thread that calls the program.
  RandomGenerator random();
}
