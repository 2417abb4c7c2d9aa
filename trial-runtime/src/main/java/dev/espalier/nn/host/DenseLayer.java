package dev.espalier.nn.host;

import dev.espalier.nn.Activation;
import java.util.Arrays;

/* For n samples, one per row of X, with the matrix W above the bias b:
 *
 *   Y = activation(X W + 1 b)
 *   D = dY activation'(Y),   dW += X' D,   db += 1' D,   dX = D W'
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
    gemm.addProduct(
        Matrix.rowMajor(input.values(), count, inputs()).transposed(),
        gradients,
        weights.gradientRows(0, inputs()));
    Rows.addSum(output.gradients(), 0, count, weights.gradients(), inputs() * columns, columns);
    if (input.differentiable()) {
      Arrays.fill(input.gradients(), 0, count * inputs(), 0f);
      gemm.addProduct(
          gradients,
          weights.rows(0, inputs()).transposed(),
          Matrix.rowMajor(input.gradients(), count, inputs()));
    }
  }
}
