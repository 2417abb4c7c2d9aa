package dev.espalier.programs.nn;

import java.util.Arrays;

/* A feed-forward network of dense layers with a softmax on top, and its gradient.
 *
 * Layer l holds a matrix W_l of (inputs + 1) x outputs; the last row is the bias. For a batch of n
 * samples, one per row of X_0:
 *
 *   Z_l = X_l W_l + 1 b_l,   X_(l+1) = activation(Z_l),   P = softmax(Z_last)
 *   loss = sum over samples of -log P[label]
 *   D_last = P - Y,   dW_l = X_l' D_l,   db_l = 1' D_l,   D_(l-1) = (D_l W_l') activation'(X_l)
 *
 * All are sums over the batch. NaN and infinity run through to the loss. Buffers grow with the
 * largest batch seen and are kept.
 */
final class DenseNetwork {
  private final int[] widths;
  private final Activation activation;
  private final float[][] weights;
  private final float[][] weightGradients;
  private final Gemm gemm = new Gemm();
  private int[] labels = {};
  private final float[][] outputs;
  private final float[][] outputGradients;

  /// @param widths features, hidden widths, classes
  DenseNetwork(int[] widths, Activation activation) {
    this.widths = widths.clone();
    this.activation = activation;
    int layers = widths.length - 1;
    weights = new float[layers][];
    weightGradients = new float[layers][];
    for (int layer = 0; layer < layers; layer++) {
      weights[layer] = new float[rows(layer) * columns(layer)];
      weightGradients[layer] = new float[rows(layer) * columns(layer)];
    }
    outputs = new float[widths.length][0];
    outputGradients = new float[widths.length][0];
  }

  int layers() {
    return weights.length;
  }

  /// {@return rows of a layer's matrix: its inputs and the bias}
  int rows(int layer) {
    return widths[layer] + 1;
  }

  /// {@return columns of a layer's matrix: its outputs}
  int columns(int layer) {
    return widths[layer + 1];
  }

  /// {@return the layer's matrix, to be written before a pass}
  float[] weights(int layer) {
    return weights[layer];
  }

  /// {@return gradient sums of the layer's matrix, valid after `lossAndGradients`}
  float[] weightGradients(int layer) {
    return weightGradients[layer];
  }

  /// Loads samples as the batch of the next pass.
  ///
  /// @param samples the first `count` entries are used
  void load(LabelledVectors vectors, int[] samples, int count) {
    ensureCapacity(count);
    for (int i = 0; i < count; i++) {
      vectors.copy(samples[i], outputs[0], i * widths[0]);
      labels[i] = vectors.label(samples[i]);
    }
  }

  private void ensureCapacity(int batch) {
    if (batch <= labels.length) {
      return;
    }
    labels = new int[batch];
    for (int i = 0; i < widths.length; i++) {
      outputs[i] = new float[Math.multiplyExact(batch, widths[i])];
      outputGradients[i] = new float[i == 0 ? 0 : batch * widths[i]];
    }
  }

  /// What a pass over a batch came to.
  ///
  /// @param lossSum sum of cross-entropies in nats; NaN or infinite when values overflowed
  /// @param correct samples whose class got the largest output
  record Outcome(double lossSum, int correct) {}

  /// Runs the first `count` loaded samples through the network.
  Outcome predict(int count) {
    forward(count);
    return softmax(count, false);
  }

  /// Runs the first `count` loaded samples forward and back.
  Outcome lossAndGradients(int count) {
    forward(count);
    Outcome outcome = softmax(count, true);
    for (int layer = layers() - 1; layer >= 0; layer--) {
      backward(layer, count);
    }
    return outcome;
  }

  private void forward(int count) {
    for (int layer = 0; layer < layers(); layer++) {
      int columns = columns(layer);
      float[] output = outputs[layer + 1];
      for (int i = 0; i < count; i++) {
        System.arraycopy(weights[layer], widths[layer] * columns, output, i * columns, columns);
      }
      gemm.addProduct(
          Matrix.rowMajor(outputs[layer], count, widths[layer]),
          Matrix.rowMajor(weights[layer], widths[layer], columns),
          Matrix.rowMajor(output, count, columns));
      if (layer < layers() - 1) {
        activation.apply(output, count * columns);
      }
    }
  }

  private Outcome softmax(int count, boolean withGradient) {
    int classes = columns(layers() - 1);
    float[] scores = outputs[layers()];
    double lossSum = 0;
    int correct = 0;
    for (int i = 0; i < count; i++) {
      int from = i * classes;
      float max = scores[from];
      int best = 0;
      for (int j = 1; j < classes; j++) {
        best = scores[from + j] > scores[from + best] ? j : best;
        max = Math.max(max, scores[from + j]);
      }
      double total = 0;
      for (int j = 0; j < classes; j++) {
        total += Math.exp(scores[from + j] - max);
      }
      double logTotal = Math.log(total) + max;
      lossSum += logTotal - scores[from + labels[i]];
      correct += best == labels[i] && Double.isFinite(logTotal) ? 1 : 0;
      if (withGradient) {
        float[] gradient = outputGradients[layers()];
        for (int j = 0; j < classes; j++) {
          gradient[from + j] = (float) (Math.exp(scores[from + j] - max) / total);
        }
        gradient[from + labels[i]] -= 1;
      }
    }
    return new Outcome(lossSum, correct);
  }

  private void backward(int layer, int count) {
    int columns = columns(layer);
    float[] gradient = outputGradients[layer + 1];
    if (layer < layers() - 1) {
      activation.backpropagate(outputs[layer + 1], gradient, count * columns);
    }
    Matrix gradients = Matrix.rowMajor(gradient, count, columns);
    float[] weightGradient = weightGradients[layer];
    Arrays.fill(weightGradient, 0f);
    gemm.addProduct(
        Matrix.rowMajor(outputs[layer], count, widths[layer]).transposed(),
        gradients,
        Matrix.rowMajor(weightGradient, widths[layer], columns));
    addColumnSums(gradient, count, weightGradient, widths[layer] * columns, columns);
    if (layer > 0) {
      Arrays.fill(outputGradients[layer], 0, count * widths[layer], 0f);
      gemm.addProduct(
          gradients,
          Matrix.rowMajor(weights[layer], widths[layer], columns).transposed(),
          Matrix.rowMajor(outputGradients[layer], count, widths[layer]));
    }
  }

  private static void addColumnSums(
      float[] values, int rows, float[] sums, int offset, int columns) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        sums[offset + j] += values[i * columns + j];
      }
    }
  }
}
