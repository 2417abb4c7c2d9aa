package dev.espalier.sdk;

import dev.espalier.api.model.ProgramDescriptor;
import java.util.List;

/// A model and the way to train it: what a user implements.
///
/// Order of calls, always by one thread: `describe`, `open`, then `initialise` on the first worker
/// of a new job only, then any sequence of `clock`, `loss` and `evaluate` over any branches, then
/// `close`; `rowNames` may follow on `open`. Where a program attached itself to a job, `open` may
/// follow on `close`, on the same object: the workers start anew when one of them is lost, or when
/// the job goes back to a snapshot. All state that training changes must live in the tables: the
/// tuner forks, frees and restores them, and a program never learns which branch it serves.
///
/// What [ProgramContext] gives differs by the call:
///
/// | call | `samples()` | `nextSamples()` | `learningRate()` | `random()` |
/// |---|---|---|---|---|
/// | `initialise` | none | none | 0 | the stream of clock 0 |
/// | `clock` | this worker's of the clock | perhaps | the clock's | the stream of the clock |
/// | `loss` | a block held out from training | none | 0 | a stream of the block |
/// | `evaluate` | none: see `share` | none | 0 | the stream of the clock that comes next |
public interface TrainingProgram extends AutoCloseable {
  /// {@return name, arguments, default tunables and metrics; must not read data}
  ProgramDescriptor describe();

  /// Reads the data and declares the tables.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line
  ProgramShape open(ProgramEnvironment environment);

  /// Writes the initial parameters with `ParameterTable.assign`; same seed, same bits. What is not
  /// assigned is zero, so a model that may start at zeros leaves this out. To add gradients here is
  /// an error.
  default void initialise(ProgramContext context) {}

  /// Runs one clock on the samples of `context`: reads rows, adds gradient sums.
  Progress clock(ProgramContext context);

  /// Measures the training loss of the samples of `context` with the present parameters, and
  /// changes nothing: branches are compared by it on samples that none of them trains on.
  ///
  /// It is `clock` by default, whose gradients the runtime throws away, so a program need not care;
  /// one that can leave the gradients out is measured in a third of the time. A penalty on the
  /// parameters may be left out: what counts is how well samples are predicted.
  default Progress loss(ProgramContext context) {
    return clock(context);
  }

  /// Measures this worker's share of the validation data; changes nothing: gradients that it adds
  /// are thrown away.
  Evaluation evaluate(ProgramContext context);

  /// Names the rows of a table, such as users, words or nodes, for who reads the exported model.
  /// Called after `open`, only when a model is exported.
  ///
  /// @param table one that `open` declared
  /// @return a name for each row, in their order; empty, as by default, where there are none
  default List<String> rowNames(String table) {
    return List.of();
  }

  @Override
  default void close() {}
}
