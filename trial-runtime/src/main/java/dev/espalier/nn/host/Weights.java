package dev.espalier.nn.host;

import dev.espalier.nn.NetworkSpec.Parameters;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import java.util.Arrays;

/// This process's copy of a layer's parameter matrix, and the gradient sums of it.
final class Weights {
  private static final float[] NOTHING = {};

  private final Parameters parameters;
  private final float[] values;
  private final float[] gradients;
  private boolean takesProducts;
  private int productCount;
  private float[] left = NOTHING;
  private float[] right = NOTHING;

  Weights(Parameters parameters) {
    this.parameters = parameters;
    values = new float[parameters.size()];
    gradients = new float[parameters.size()];
  }

  int rows() {
    return parameters.rows();
  }

  int columns() {
    return parameters.columns();
  }

  /// {@return rows x columns}
  float[] values() {
    return values;
  }

  /// {@return rows x columns}
  float[] gradients() {
    return gradients;
  }

  /// A view of rows of the matrix.
  Matrix rows(int first, int count) {
    return new Matrix(values, first * columns(), count, columns(), columns(), 1);
  }

  /// A view of rows of the gradients.
  Matrix gradientRows(int first, int count) {
    return new Matrix(gradients, first * columns(), count, columns(), columns(), 1);
  }

  void read(ProgramContext tables) {
    tables.table(parameters.table()).read(0, rows(), values, 0);
  }

  /// Begins the gradient of a batch.
  ///
  /// @param samples of the batch
  /// @param canBeProducts whether the gradient can come as products of vectors
  void beginGradient(ProgramContext tables, int samples, boolean canBeProducts) {
    takesProducts =
        canBeProducts && tables.table(parameters.table()).prefersProducts(rows(), samples);
    productCount = samples;
    if (!takesProducts) {
      Arrays.fill(gradients, 0f);
    }
  }

  /// Whether the gradient goes to [#giveProducts] and not to [#gradients].
  boolean takesProducts() {
    return takesProducts;
  }

  /// Gives the gradient as the sum over the samples of `left' right`.
  ///
  /// @param newLeft samples x rows, not to be changed any more
  /// @param newRight samples x columns, not to be changed any more
  void giveProducts(float[] newLeft, float[] newRight) {
    left = newLeft;
    right = newRight;
  }

  /// Adds the gradient of `scale / 2` times the squared weights and returns that penalty.
  double addDecay(double scale) {
    float factor = (float) scale;
    double squares = 0;
    for (int i = 0; i < parameters.weights(); i++) {
      gradients[i] += factor * values[i];
      squares += (double) values[i] * values[i];
    }
    return scale / 2 * squares;
  }

  void addGradientsTo(ProgramContext tables) {
    ParameterTable table = tables.table(parameters.table());
    if (takesProducts) {
      table.addProducts(0, rows(), productCount, left, right);
      giveProducts(NOTHING, NOTHING);
    } else {
      table.add(0, rows(), gradients, 0);
    }
  }
}
