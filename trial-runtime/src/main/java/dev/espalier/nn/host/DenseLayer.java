package dev.espalier.nn.host;

import dev.espalier.nn.Activation;
import java.util.Arrays;

/* For n samples, one per row of X, with the matrix W above the bias b:
 *
 *   Y = activation(X W + 1 b)
 *   D = dY activation'(Y),   dW += X' D,   db += 1' D,   dX = D W'
 *
 * So the gradient of W with b below is (X 1)' D, a sum of a product of two vectors for each sample: the
 * sufficient factors of Xie et al. 2016.
 */
final class DenseLayer implements Layer {
  private final Weights weights;
  private final Activation activation;
  private final Gemm gemm;

  DenseLayer(Weights weights, Activation activation, Gemm gemm) {
    this.weights = weights;
    this.activation = activation;
    this.gemm = gemm;
  }

  private int inputs() {
    return weights.rows() - 1;
  }

  @Override
  public void forward(Signal input, Signal output, int count) {
    int columns = weights.columns();
    Rows.fill(weights.values(), inputs() * columns, output.values(), 0, count, columns);
    gemm.addProduct(
        Matrix.rowMajor(input.values(), count, inputs()),
        weights.rows(0, inputs()),
        Matrix.rowMajor(output.values(), count, columns));
    Curves.apply(activation, output.values(), 0, count * columns);
  }

  @Override
  public void backward(Signal input, Signal output, int count) {
    int columns = weights.columns();
    Curves.backpropagate(activation, output.values(), output.gradients(), 0, count * columns);
    Matrix gradients = Matrix.rowMajor(output.gradients(), count, columns);
    if (weights.takesProducts()) {
      weights.giveProducts(
          withOnes(input.values(), count), Arrays.copyOf(output.gradients(), count * columns));
    } else {
      gemm.addProduct(
          Matrix.rowMajor(input.values(), count, inputs()).transposed(),
          gradients,
          weights.gradientRows(0, inputs()));
      Rows.addSum(output.gradients(), 0, count, weights.gradients(), inputs() * columns, columns);
    }
    if (input.differentiable()) {
      Arrays.fill(input.gradients(), 0, count * inputs(), 0f);
      gemm.addProduct(
          gradients,
          weights.rows(0, inputs()).transposed(),
          Matrix.rowMajor(input.gradients(), count, inputs()));
    }
  }

  @Override
  public boolean givesProducts() {
    return true;
  }

  /// The inputs of each sample and a one, which stands for the bias.
  private float[] withOnes(float[] inputs, int count) {
    int width = inputs();
    float[] all = new float[count * (width + 1)];
    for (int s = 0; s < count; s++) {
      System.arraycopy(inputs, s * width, all, s * (width + 1), width);
      all[s * (width + 1) + width] = 1;
    }
    return all;
  }
}
