package dev.espalier.nn.host;

import dev.espalier.nn.Activation;
import dev.espalier.nn.Shape;
import java.util.Arrays;

/* A convolution as matrix products, without copying windows side by side.
 *
 * One sample at a time is copied into a frame of zeros, p = (kernel - 1) / 2 wide, channels last. In
 * it the kernel x channels values of one row of a window lie in a stretch, and the window one
 * position further begins `channels` values later: all windows' rows ky are a matrix whose rows
 * overlap, and the convolution is the sum over ky of such a matrix times the rows of the weights
 * that belong to ky. Windows that hang over the right edge are computed too and dropped; that is 2p
 * of width + 2p columns.
 *
 * The gradient by the weights is the transposed product with the framed gradient by the output. The
 * gradient by the input is again a convolution: of the framed gradient by the output, with the
 * window turned round and inputs and outputs exchanged.
 */
final class ConvolutionLayer implements Layer {
  private final Weights weights;
  private final int kernel;
  private final Activation activation;
  private final Gemm gemm;
  private final Shape shape;
  private final int channels;
  private final int border;
  private final int framedWidth;
  private final int windows;
  private final float[] framedInput;
  private final float[] framedGradient;
  private final float[] sums;
  private final float[] inputSums;
  private final float[] turned;

  /// @param shape what comes in
  ConvolutionLayer(Weights weights, Shape shape, int kernel, Activation activation, Gemm gemm) {
    this.weights = weights;
    this.kernel = kernel;
    this.activation = activation;
    this.gemm = gemm;
    this.shape = shape;
    channels = weights.columns();
    border = (kernel - 1) / 2;
    framedWidth = shape.width() + 2 * border;
    int framed = framedWidth * (shape.height() + 2 * border);
    windows = framedWidth * shape.height() - 2 * border;
    framedInput = new float[framed * shape.channels()];
    framedGradient = new float[framed * channels];
    sums = new float[windows * channels];
    inputSums = new float[windows * shape.channels()];
    turned = new float[kernel * kernel * channels * shape.channels()];
  }

  private int inputSize() {
    return shape.size();
  }

  private int outputSize() {
    return shape.positions() * channels;
  }

  @Override
  public void forward(Signal input, Signal output, int count) {
    int biasFrom = (weights.rows() - 1) * channels;
    for (int sample = 0; sample < count; sample++) {
      frame(input.values(), sample * inputSize(), shape.channels(), framedInput);
      Rows.fill(weights.values(), biasFrom, sums, 0, windows, channels);
      convolve(framedInput, shape.channels(), weights.values(), channels, sums);
      unframe(sums, channels, output.values(), sample * outputSize());
    }
    Curves.apply(activation, output.values(), 0, count * outputSize());
  }

  @Override
  public void backward(Signal input, Signal output, int count) {
    float[] gradients = output.gradients();
    Curves.backpropagate(activation, output.values(), gradients, 0, count * outputSize());
    int biasFrom = (weights.rows() - 1) * channels;
    Rows.addSum(gradients, 0, count * shape.positions(), weights.gradients(), biasFrom, channels);
    if (input.differentiable()) {
      turn();
    }
    for (int sample = 0; sample < count; sample++) {
      frame(input.values(), sample * inputSize(), shape.channels(), framedInput);
      frame(gradients, sample * outputSize(), channels, framedGradient);
      addWeightGradients();
      if (input.differentiable()) {
        Arrays.fill(inputSums, 0f);
        convolve(framedGradient, channels, turned, shape.channels(), inputSums);
        unframe(inputSums, shape.channels(), input.gradients(), sample * inputSize());
      }
    }
  }

  /// Copies a sample into the middle of the frame.
  private void frame(float[] values, int from, int depth, float[] framed) {
    int row = shape.width() * depth;
    for (int y = 0; y < shape.height(); y++) {
      System.arraycopy(
          values, from + y * row, framed, ((y + border) * framedWidth + border) * depth, row);
    }
  }

  /// Copies those windows' sums that belong to a position.
  private void unframe(float[] windowSums, int depth, float[] values, int from) {
    int row = shape.width() * depth;
    for (int y = 0; y < shape.height(); y++) {
      System.arraycopy(windowSums, y * framedWidth * depth, values, from + y * row, row);
    }
  }

  /// Adds to each window's sums (windows x to) the product with the matrix (kernel² from) x to.
  private void convolve(float[] framed, int from, float[] matrix, int to, float[] windowSums) {
    for (int ky = 0; ky < kernel; ky++) {
      int inputs = kernel * from;
      gemm.addProduct(
          windowRows(framed, from, ky),
          new Matrix(matrix, ky * inputs * to, inputs, to, to, 1),
          Matrix.rowMajor(windowSums, windows, to));
    }
  }

  private Matrix windowRows(float[] framed, int depth, int ky) {
    return new Matrix(framed, ky * framedWidth * depth, windows, kernel * depth, depth, 1);
  }

  private void addWeightGradients() {
    int middle = (border * framedWidth + border) * channels;
    var gradients = new Matrix(framedGradient, middle, windows, channels, channels, 1);
    int inputs = kernel * shape.channels();
    for (int ky = 0; ky < kernel; ky++) {
      gemm.addProduct(
          windowRows(framedInput, shape.channels(), ky).transposed(),
          gradients,
          weights.gradientRows(ky * inputs, inputs));
    }
  }

  /// Writes the weights of (ky, kx, in, out) to (kernel - 1 - ky, kernel - 1 - kx, out, in).
  private void turn() {
    int depth = shape.channels();
    int taps = kernel * kernel;
    float[] values = weights.values();
    for (int tap = 0; tap < taps; tap++) {
      int to = (taps - 1 - tap) * channels * depth;
      for (int in = 0; in < depth; in++) {
        for (int out = 0; out < channels; out++) {
          turned[to + out * depth + in] = values[(tap * depth + in) * channels + out];
        }
      }
    }
  }
}
