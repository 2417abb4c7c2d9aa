package dev.espalier.nn;

import java.util.Arrays;

/// Samples on their way through a network; kept and filled again, it grows with the largest batch.
public final class Batch {
  /// The label of a position that is not judged.
  public static final int UNLABELLED = -1;

  private final int inputSize;
  private final int positions;
  private float[] inputs = {};
  private int[] labels = {};
  private int count;

  /// @param spec the network that the samples are for
  public Batch(NetworkSpec spec) {
    inputSize = spec.input().size();
    positions = spec.scores().positions();
  }

  /// Makes room for `count` samples; what they hold is then to be written.
  public void resize(int samples) {
    count = samples;
    if (inputs.length < Math.multiplyExact(samples, inputSize)) {
      inputs = new float[samples * inputSize];
    }
    if (labels.length < Math.multiplyExact(samples, positions)) {
      labels = new int[samples * positions];
    }
  }

  /// {@return samples}
  public int count() {
    return count;
  }

  /// {@return the inputs, sample by sample; room for more may follow}
  public float[] inputs() {
    return inputs;
  }

  /// {@return a class or [#UNLABELLED] for each position, sample by sample; room for more may
  /// follow}
  public int[] labels() {
    return labels;
  }

  /// {@return how many positions are judged}
  public int labelled() {
    return (int)
        Arrays.stream(labels, 0, count * positions).filter(label -> label != UNLABELLED).count();
  }
}
