package dev.espalier.programs.binary;

import dev.espalier.data.SparseExamples;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.Progress;

/// A model that scores sparse examples of two classes, and how it is judged by what it says.
public interface BinaryModel {
  /// {@return examples whose rows are read at once when the model is evaluated, >= 1}
  default int evaluationBatch() {
    return 4096;
  }

  /// Reads the rows that the scores of some examples need.
  ///
  /// @param samples indices of `examples`
  void read(ProgramContext context, SparseExamples examples, int[] samples);

  /// {@return the log odds of label 1}
  ///
  /// @param sample index of an example whose rows were read
  double score(SparseExamples examples, int sample);

  /// {@return the [LogLoss] of the context's samples, without penalties}
  default Progress loss(ProgramContext context, SparseExamples training) {
    int[] samples = context.samples();
    read(context, training, samples);
    double lossSum = 0;
    for (int sample : samples) {
      lossSum += LogLoss.of(score(training, sample), training.labels()[sample]);
    }
    return new Progress(lossSum, samples.length);
  }

  /// Measures the [BinaryTally#METRICS] of this worker's share of the validation examples.
  default Evaluation evaluate(ProgramContext context, SparseExamples validation) {
    var tally = new BinaryTally();
    for (int[] batch : context.shareInBatches(0, validation.count(), evaluationBatch())) {
      read(context, validation, batch);
      for (int sample : batch) {
        tally.add(score(validation, sample), validation.labels()[sample]);
      }
    }
    return tally.evaluation();
  }
}
