package dev.espalier.nn.host;

/// A row of the weights for each position.
final class EmbeddingLayer implements Layer {
  private final Weights weights;

  EmbeddingLayer(Weights weights) {
    this.weights = weights;
  }

  @Override
  public void forward(Signal input, Signal output, int count) {
    int columns = weights.columns();
    for (int i = 0; i < count * input.size(); i++) {
      System.arraycopy(
          weights.values(), token(input, i) * columns, output.values(), i * columns, columns);
    }
  }

  @Override
  public void backward(Signal input, Signal output, int count) {
    int columns = weights.columns();
    for (int i = 0; i < count * input.size(); i++) {
      Rows.addSum(
          output.gradients(),
          i * columns,
          1,
          weights.gradients(),
          token(input, i) * columns,
          columns);
    }
  }

  private int token(Signal input, int position) {
    int token = (int) input.values()[position];
    if (token < 0 || token >= weights.rows()) {
      throw new IllegalArgumentException(
          "a token must lie in [0, " + (weights.rows() - 1) + "] but is " + token);
    }
    return token;
  }
}
