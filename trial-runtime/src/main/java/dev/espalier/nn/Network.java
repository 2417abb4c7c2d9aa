package dev.espalier.nn;

import dev.espalier.sdk.ProgramContext;

/// A network that can be trained and asked; its parameters live in tables, not here.
///
/// The objective of a sample is the mean over its positions of -log P[label], plus half the weight
/// decay times the squared weights without biases. NaN and infinity run through to the loss. Not
/// safe for use by several threads.
public interface Network extends AutoCloseable {

  /// Reads all parameters of the branch, to predict with them.
  Reading read(ProgramContext tables);

  /// The parameters of a branch as they were read; of a network's readings one may be open at a
  /// time, and no training may come between. While it is open it may keep memory of the tables as
  /// it is, so close it when the last prediction is made.
  interface Reading extends AutoCloseable {
    /// Runs a batch forward.
    Outcome predict(Batch batch);

    @Override
    default void close() {}
  }

  /// Runs a batch forward and back, and adds the gradient sums to the tables.
  ///
  /// Layer by layer: the parameters of a layer are read just before its turn, and its gradient is
  /// added as soon as it exists, the last layer's first.
  ///
  /// @param weightDecay >= 0
  Outcome train(ProgramContext tables, Batch batch, double weightDecay);

  @Override
  default void close() {}
}
