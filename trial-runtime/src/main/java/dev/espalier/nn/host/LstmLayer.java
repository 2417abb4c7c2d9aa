package dev.espalier.nn.host;

import dev.espalier.nn.Batch;
import dev.espalier.nn.Shape;
import java.util.Arrays;

/* Sample s at time t is row s T + t of every array. The gates of a row lie in the order i, f, g, o,
 * `units` values each.
 *
 * Backwards in time, with dh the gradient by h_t from above and from t + 1:
 *
 *   do = dh tanh(c),   dc = dc_(t+1) f_(t+1) + dh o (1 - tanh(c)^2)
 *   di = dc g,   df = dc c_(t-1),   dg = dc i
 *
 * each times the derivative of its curve; then dW_x = X' D, dW_h = H_(t-1)' D, db = 1' D,
 * dh_(t-1) += D W_h', dX = D W_x'.
 */
final class LstmLayer implements Layer {
  private final Weights weights;
  private final Gemm gemm;
  private final int steps;
  private final int inputs;
  private final int units;
  private float[] gates = {};
  private float[] cells = {};
  private float[] squashed = {};
  private float[] carried = {};

  /// @param shape what comes in: its positions are the steps of time
  LstmLayer(Weights weights, Shape shape, Gemm gemm) {
    this.weights = weights;
    this.gemm = gemm;
    steps = shape.positions();
    inputs = shape.channels();
    units = weights.columns() / 4;
  }

  private void resize(int count) {
    int ofGates = Batch.values(count, 4L * steps * units);
    if (gates.length < ofGates) {
      gates = new float[ofGates];
      cells = new float[ofGates / 4];
      squashed = new float[ofGates / 4];
    }
  }

  /// The rows of one time step, `width` values each, from step 0 of all samples on.
  private Matrix at(int step, float[] values, int count, int width) {
    return new Matrix(values, step * width, count, width, steps * width, 1);
  }

  private Matrix inputWeights() {
    return weights.rows(0, inputs);
  }

  private Matrix stateWeights() {
    return weights.rows(inputs, units);
  }

  @Override
  public void forward(Signal input, Signal output, int count) {
    resize(count);
    int rows = count * steps;
    int biasFrom = (weights.rows() - 1) * 4 * units;
    Rows.fill(weights.values(), biasFrom, gates, 0, rows, 4 * units);
    gemm.addProduct(
        Matrix.rowMajor(input.values(), rows, inputs),
        inputWeights(),
        Matrix.rowMajor(gates, rows, 4 * units));
    for (int step = 0; step < steps; step++) {
      if (step > 0) {
        gemm.addProduct(
            at(step - 1, output.values(), count, units),
            stateWeights(),
            at(step, gates, count, 4 * units));
      }
      for (int sample = 0; sample < count; sample++) {
        advance(sample * steps + step, step > 0, output.values());
      }
    }
  }

  private void advance(int row, boolean hasPast, float[] outputs) {
    int gate = row * 4 * units;
    int at = row * units;
    Curves.logistic(gates, gate, gate + 2 * units);
    Curves.tanh(gates, gate + 2 * units, gate + 3 * units);
    Curves.logistic(gates, gate + 3 * units, gate + 4 * units);
    for (int j = 0; j < units; j++) {
      cells[at + j] = gates[gate + j] * gates[gate + 2 * units + j];
    }
    if (hasPast) {
      for (int j = 0; j < units; j++) {
        cells[at + j] += gates[gate + units + j] * cells[at - units + j];
      }
    }
    System.arraycopy(cells, at, squashed, at, units);
    Curves.tanh(squashed, at, at + units);
    for (int j = 0; j < units; j++) {
      outputs[at + j] = gates[gate + 3 * units + j] * squashed[at + j];
    }
  }

  @Override
  public void backward(Signal input, Signal output, int count) {
    if (carried.length < count * units) {
      carried = new float[count * units];
    }
    Arrays.fill(carried, 0, count * units, 0f);
    for (int step = steps - 1; step >= 0; step--) {
      for (int sample = 0; sample < count; sample++) {
        retreat(sample * steps + step, step > 0, sample * units, output.gradients());
      }
      if (step > 0) {
        Matrix gradients = at(step, gates, count, 4 * units);
        gemm.addProduct(
            gradients, stateWeights().transposed(), at(step - 1, output.gradients(), count, units));
        gemm.addProduct(
            at(step - 1, output.values(), count, units).transposed(),
            gradients,
            weights.gradientRows(inputs, units));
      }
    }
    int rows = count * steps;
    Matrix gradients = Matrix.rowMajor(gates, rows, 4 * units);
    gemm.addProduct(
        Matrix.rowMajor(input.values(), rows, inputs).transposed(),
        gradients,
        weights.gradientRows(0, inputs));
    Rows.addSum(gates, 0, rows, weights.gradients(), (weights.rows() - 1) * 4 * units, 4 * units);
    if (input.differentiable()) {
      Arrays.fill(input.gradients(), 0, rows * inputs, 0f);
      gemm.addProduct(
          gradients, inputWeights().transposed(), Matrix.rowMajor(input.gradients(), rows, inputs));
    }
  }

  /// Turns the gates of a row into gradients by their inputs.
  private void retreat(int row, boolean hasPast, int carriedFrom, float[] outputGradients) {
    int gate = row * 4 * units;
    int at = row * units;
    for (int j = 0; j < units; j++) {
      float i = gates[gate + j];
      float f = gates[gate + units + j];
      float g = gates[gate + 2 * units + j];
      float o = gates[gate + 3 * units + j];
      float tanh = squashed[at + j];
      float dh = outputGradients[at + j];
      float dc = carried[carriedFrom + j] + dh * o * (1 - tanh * tanh);
      float past = hasPast ? cells[at - units + j] : 0f;
      carried[carriedFrom + j] = dc * f;
      gates[gate + j] = dc * g * i * (1 - i);
      gates[gate + units + j] = dc * past * f * (1 - f);
      gates[gate + 2 * units + j] = dc * i * (1 - g * g);
      gates[gate + 3 * units + j] = dh * tanh * o * (1 - o);
    }
  }
}
