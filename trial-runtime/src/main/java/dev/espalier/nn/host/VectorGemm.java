package dev.espalier.nn.host;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/* Matrix products by register tiles: a tile of C, TILE rows by one or two vectors, stays in registers
 * while a stretch of k passes by. 16 accumulators are what C2 keeps in registers reliably; two vectors
 * side by side need the 32 registers of AVX-512, elsewhere tiles are one vector wide.
 *
 * B is packed, DEPTH rows at a time, into panels as wide as a tile, padded with zeros to whole
 * vectors; a matrix that is exactly one panel wide is used where it lies. A is read where it lies,
 * one value at a time, whatever its strides. A tile that hangs over the right edge of C is computed
 * in a buffer; at the lower edge the rows come one by one.
 */
/// [Gemm] on the Vector API; only ever loaded by name.
final class VectorGemm implements Gemm {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int TILE = 8;
  private static final int PANEL = LANES >= 16 ? 2 * LANES : LANES;
  private static final int DEPTH = 256;

  private final float[] packed = new float[DEPTH * PANEL];
  private final float[] edge = new float[TILE * PANEL];

  @Override
  public void addProduct(Matrix a, Matrix b, Matrix c) {
    Gemm.requireFit(a, b, c);
    boolean inPlace = b.columnStride() == 1 && (b.columns() == PANEL || b.columns() == LANES);
    for (int inner = 0; inner < a.columns(); inner += DEPTH) {
      int depth = Math.min(DEPTH, a.columns() - inner);
      for (int column = 0; column < c.columns(); column += PANEL) {
        int width = Math.min(PANEL, c.columns() - column);
        if (inPlace) {
          var panel =
              new Panel(b.values(), b.offset() + inner * b.rowStride(), b.rowStride(), width);
          addPanel(a, inner, depth, panel, c, column);
        } else {
          int padded = width <= LANES ? LANES : PANEL;
          pack(b, inner, depth, column, width, padded);
          addPanel(a, inner, depth, new Panel(packed, 0, padded, width), c, column);
        }
      }
    }
  }

  /// Some columns of B.
  ///
  /// @param stride from row to row, at least as many vectors as `width` needs
  /// @param width columns that are meant
  private record Panel(float[] values, int offset, int stride, int width) {
    boolean isNarrow() {
      return width <= LANES;
    }

    boolean isWhole() {
      return width == LANES || width == PANEL;
    }
  }

  private void pack(Matrix b, int inner, int depth, int column, int width, int padded) {
    float[] values = b.values();
    for (int k = 0; k < depth; k++) {
      int from = b.offset() + (inner + k) * b.rowStride() + column * b.columnStride();
      int to = k * padded;
      if (b.columnStride() == 1) {
        System.arraycopy(values, from, packed, to, width);
      } else {
        for (int j = 0; j < width; j++) {
          packed[to + j] = values[from + j * b.columnStride()];
        }
      }
      Arrays.fill(packed, to + width, to + padded, 0f);
    }
  }

  private void addPanel(Matrix a, int inner, int depth, Panel panel, Matrix c, int column) {
    for (int row = 0; row < c.rows(); row += TILE) {
      int height = Math.min(TILE, c.rows() - row);
      int from = a.offset() + row * a.rowStride() + inner * a.columnStride();
      int to = c.offset() + row * c.rowStride() + column;
      if (panel.isWhole()) {
        addTile(a, from, depth, panel, c.values(), to, c.rowStride(), height);
      } else {
        copy(c.values(), to, c.rowStride(), edge, 0, PANEL, height, panel.width);
        addTile(a, from, depth, panel, edge, 0, PANEL, height);
        copy(edge, 0, PANEL, c.values(), to, c.rowStride(), height, panel.width);
      }
    }
  }

  private static void copy(
      float[] source,
      int from,
      int sourceStride,
      float[] target,
      int to,
      int targetStride,
      int height,
      int width) {
    for (int r = 0; r < height; r++) {
      System.arraycopy(source, from + r * sourceStride, target, to + r * targetStride, width);
    }
  }

  private static void addTile(
      Matrix a, int from, int depth, Panel b, float[] c, int to, int stride, int height) {
    if (height < TILE) {
      for (int r = 0; r < height; r++) {
        addRow(a, from + r * a.rowStride(), depth, b, c, to + r * stride);
      }
    } else if (b.isNarrow()) {
      addNarrow(
          a.values(),
          from,
          a.rowStride(),
          a.columnStride(),
          depth,
          b.values,
          b.offset,
          b.stride,
          c,
          to,
          stride);
    } else {
      addWide(
          a.values(),
          from,
          a.rowStride(),
          a.columnStride(),
          depth,
          b.values,
          b.offset,
          b.stride,
          c,
          to,
          stride);
    }
  }

  private static void addRow(Matrix a, int from, int depth, Panel b, float[] c, int to) {
    for (int lane = 0; lane < b.width; lane += LANES) {
      FloatVector sum = FloatVector.fromArray(SPECIES, c, to + lane);
      for (int k = 0; k < depth; k++) {
        FloatVector row = FloatVector.fromArray(SPECIES, b.values, b.offset + k * b.stride + lane);
        sum = row.fma(FloatVector.broadcast(SPECIES, a.values()[from + k * a.columnStride()]), sum);
      }
      sum.intoArray(c, to + lane);
    }
  }

  /* Eleven arguments, against the house rule: C2 needs every value in a local. */
  private static void addNarrow(
      float[] a,
      int from,
      int rowStride,
      int columnStride,
      int depth,
      float[] b,
      int panel,
      int panelStride,
      float[] c,
      int to,
      int stride) {
    FloatVector c0 = FloatVector.fromArray(SPECIES, c, to);
    FloatVector c1 = FloatVector.fromArray(SPECIES, c, to + stride);
    FloatVector c2 = FloatVector.fromArray(SPECIES, c, to + 2 * stride);
    FloatVector c3 = FloatVector.fromArray(SPECIES, c, to + 3 * stride);
    FloatVector c4 = FloatVector.fromArray(SPECIES, c, to + 4 * stride);
    FloatVector c5 = FloatVector.fromArray(SPECIES, c, to + 5 * stride);
    FloatVector c6 = FloatVector.fromArray(SPECIES, c, to + 6 * stride);
    FloatVector c7 = FloatVector.fromArray(SPECIES, c, to + 7 * stride);
    int at = from;
    int row = panel;
    for (int k = 0; k < depth; k++) {
      FloatVector x = FloatVector.fromArray(SPECIES, b, row);
      c0 = x.fma(FloatVector.broadcast(SPECIES, a[at]), c0);
      c1 = x.fma(FloatVector.broadcast(SPECIES, a[at + rowStride]), c1);
      c2 = x.fma(FloatVector.broadcast(SPECIES, a[at + 2 * rowStride]), c2);
      c3 = x.fma(FloatVector.broadcast(SPECIES, a[at + 3 * rowStride]), c3);
      c4 = x.fma(FloatVector.broadcast(SPECIES, a[at + 4 * rowStride]), c4);
      c5 = x.fma(FloatVector.broadcast(SPECIES, a[at + 5 * rowStride]), c5);
      c6 = x.fma(FloatVector.broadcast(SPECIES, a[at + 6 * rowStride]), c6);
      c7 = x.fma(FloatVector.broadcast(SPECIES, a[at + 7 * rowStride]), c7);
      at += columnStride;
      row += panelStride;
    }
    c0.intoArray(c, to);
    c1.intoArray(c, to + stride);
    c2.intoArray(c, to + 2 * stride);
    c3.intoArray(c, to + 3 * stride);
    c4.intoArray(c, to + 4 * stride);
    c5.intoArray(c, to + 5 * stride);
    c6.intoArray(c, to + 6 * stride);
    c7.intoArray(c, to + 7 * stride);
  }

  private static void addWide(
      float[] a,
      int from,
      int rowStride,
      int columnStride,
      int depth,
      float[] b,
      int panel,
      int panelStride,
      float[] c,
      int to,
      int stride) {
    FloatVector c0 = FloatVector.fromArray(SPECIES, c, to);
    FloatVector c1 = FloatVector.fromArray(SPECIES, c, to + stride);
    FloatVector c2 = FloatVector.fromArray(SPECIES, c, to + 2 * stride);
    FloatVector c3 = FloatVector.fromArray(SPECIES, c, to + 3 * stride);
    FloatVector c4 = FloatVector.fromArray(SPECIES, c, to + 4 * stride);
    FloatVector c5 = FloatVector.fromArray(SPECIES, c, to + 5 * stride);
    FloatVector c6 = FloatVector.fromArray(SPECIES, c, to + 6 * stride);
    FloatVector c7 = FloatVector.fromArray(SPECIES, c, to + 7 * stride);
    FloatVector d0 = FloatVector.fromArray(SPECIES, c, to + LANES);
    FloatVector d1 = FloatVector.fromArray(SPECIES, c, to + stride + LANES);
    FloatVector d2 = FloatVector.fromArray(SPECIES, c, to + 2 * stride + LANES);
    FloatVector d3 = FloatVector.fromArray(SPECIES, c, to + 3 * stride + LANES);
    FloatVector d4 = FloatVector.fromArray(SPECIES, c, to + 4 * stride + LANES);
    FloatVector d5 = FloatVector.fromArray(SPECIES, c, to + 5 * stride + LANES);
    FloatVector d6 = FloatVector.fromArray(SPECIES, c, to + 6 * stride + LANES);
    FloatVector d7 = FloatVector.fromArray(SPECIES, c, to + 7 * stride + LANES);
    int at = from;
    int row = panel;
    for (int k = 0; k < depth; k++) {
      FloatVector x = FloatVector.fromArray(SPECIES, b, row);
      FloatVector y = FloatVector.fromArray(SPECIES, b, row + LANES);
      FloatVector p = FloatVector.broadcast(SPECIES, a[at]);
      c0 = x.fma(p, c0);
      d0 = y.fma(p, d0);
      p = FloatVector.broadcast(SPECIES, a[at + rowStride]);
      c1 = x.fma(p, c1);
      d1 = y.fma(p, d1);
      p = FloatVector.broadcast(SPECIES, a[at + 2 * rowStride]);
      c2 = x.fma(p, c2);
      d2 = y.fma(p, d2);
      p = FloatVector.broadcast(SPECIES, a[at + 3 * rowStride]);
      c3 = x.fma(p, c3);
      d3 = y.fma(p, d3);
      p = FloatVector.broadcast(SPECIES, a[at + 4 * rowStride]);
      c4 = x.fma(p, c4);
      d4 = y.fma(p, d4);
      p = FloatVector.broadcast(SPECIES, a[at + 5 * rowStride]);
      c5 = x.fma(p, c5);
      d5 = y.fma(p, d5);
      p = FloatVector.broadcast(SPECIES, a[at + 6 * rowStride]);
      c6 = x.fma(p, c6);
      d6 = y.fma(p, d6);
      p = FloatVector.broadcast(SPECIES, a[at + 7 * rowStride]);
      c7 = x.fma(p, c7);
      d7 = y.fma(p, d7);
      at += columnStride;
      row += panelStride;
    }
    c0.intoArray(c, to);
    c1.intoArray(c, to + stride);
    c2.intoArray(c, to + 2 * stride);
    c3.intoArray(c, to + 3 * stride);
    c4.intoArray(c, to + 4 * stride);
    c5.intoArray(c, to + 5 * stride);
    c6.intoArray(c, to + 6 * stride);
    c7.intoArray(c, to + 7 * stride);
    d0.intoArray(c, to + LANES);
    d1.intoArray(c, to + stride + LANES);
    d2.intoArray(c, to + 2 * stride + LANES);
    d3.intoArray(c, to + 3 * stride + LANES);
    d4.intoArray(c, to + 4 * stride + LANES);
    d5.intoArray(c, to + 5 * stride + LANES);
    d6.intoArray(c, to + 6 * stride + LANES);
    d7.intoArray(c, to + 7 * stride + LANES);
  }
}
