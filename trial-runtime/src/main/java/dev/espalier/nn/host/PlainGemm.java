package dev.espalier.nn.host;

import java.util.Arrays;

/* Matrix products in plain Java loops that the JIT turns into vector code.
 *
 * The JIT vectorises a loop over several arrays only when all are indexed by the loop variable
 * alone, and it never vectorises a floating point sum. So the kernel is four axpys on four rows:
 * `c_r += a_r0 b_0 + a_r1 b_1 + a_r2 b_2 + a_r3 b_3`, where each row of C and B is an array of its
 * own. Rows of B are packed into such arrays a block at a time, so the block stays in the second
 * level cache; four rows of C are carried through all of a block, so they stay in the first. Edges
 * are padded with zeros: a coefficient of zero meets a packed row of zeros, never a value of B, so
 * padding cannot make a NaN.
 */
final class PlainGemm implements Gemm {
  private static final int TILE = 4;
  private static final int BLOCK_ROWS = 256;
  private static final int BLOCK_COLUMNS = 256;

  private final float[][] packed = new float[BLOCK_ROWS][BLOCK_COLUMNS];
  private final float[][] tile = new float[TILE][BLOCK_COLUMNS];
  private final float[] coefficients = new float[TILE * TILE];

  @Override
  public void addProduct(Matrix a, Matrix b, Matrix c) {
    Gemm.requireFit(a, b, c);
    for (int column = 0; column < c.columns(); column += BLOCK_COLUMNS) {
      int width = Math.min(BLOCK_COLUMNS, c.columns() - column);
      for (int inner = 0; inner < a.columns(); inner += BLOCK_ROWS) {
        int depth = Math.min(BLOCK_ROWS, a.columns() - inner);
        pack(b, inner, depth, column, width);
        var block = new Block(inner, depth, column, width);
        for (int row = 0; row < c.rows(); row += TILE) {
          addBlock(a, c, row, block);
        }
      }
    }
  }

  private record Block(int inner, int depth, int column, int width) {}

  private void pack(Matrix b, int inner, int depth, int column, int width) {
    for (int k = 0; k < depth; k++) {
      int from = b.offset() + (inner + k) * b.rowStride() + column * b.columnStride();
      if (b.columnStride() == 1) {
        System.arraycopy(b.values(), from, packed[k], 0, width);
      } else {
        gather(b.values(), from, b.columnStride(), packed[k], width);
      }
    }
    int padded = (depth + TILE - 1) / TILE * TILE;
    for (int k = depth; k < padded; k++) {
      Arrays.fill(packed[k], 0, width, 0f);
    }
  }

  private static void gather(float[] source, int from, int stride, float[] target, int width) {
    for (int j = 0, at = from; j < width; j++, at += stride) {
      target[j] = source[at];
    }
  }

  private void addBlock(Matrix a, Matrix c, int row, Block block) {
    int height = Math.min(TILE, c.rows() - row);
    int width = block.width;
    for (int r = 0; r < height; r++) {
      int from = c.offset() + (row + r) * c.rowStride() + block.column;
      System.arraycopy(c.values(), from, tile[r], 0, width);
    }
    for (int k = 0; k < block.depth; k += TILE) {
      loadCoefficients(a, row, height, block, k);
      addRows(
          tile[0],
          tile[1],
          tile[2],
          tile[3],
          packed[k],
          packed[k + 1],
          packed[k + 2],
          packed[k + 3],
          coefficients,
          width);
    }
    for (int r = 0; r < height; r++) {
      int to = c.offset() + (row + r) * c.rowStride() + block.column;
      System.arraycopy(tile[r], 0, c.values(), to, width);
    }
  }

  private void loadCoefficients(Matrix a, int row, int height, Block block, int k) {
    float[] values = a.values();
    int stride = a.columnStride();
    int depth = Math.min(TILE, block.depth - k);
    if (height < TILE || depth < TILE) {
      Arrays.fill(coefficients, 0f);
    }
    for (int r = 0; r < height; r++) {
      int from = a.offset() + (row + r) * a.rowStride() + (block.inner + k) * stride;
      for (int q = 0; q < depth; q++) {
        coefficients[TILE * r + q] = values[from + q * stride];
      }
    }
  }

  /* Ten arguments, against the house rule: the JIT needs each row as an array in a local. Fused
   * multiply-add is exact to the bit on every machine, compiled or interpreted. */
  private static void addRows(
      float[] c0,
      float[] c1,
      float[] c2,
      float[] c3,
      float[] b0,
      float[] b1,
      float[] b2,
      float[] b3,
      float[] a,
      int width) {
    float a00 = a[0], a01 = a[1], a02 = a[2], a03 = a[3];
    float a10 = a[4], a11 = a[5], a12 = a[6], a13 = a[7];
    float a20 = a[8], a21 = a[9], a22 = a[10], a23 = a[11];
    float a30 = a[12], a31 = a[13], a32 = a[14], a33 = a[15];
    for (int j = 0; j < width; j++) {
      float x0 = b0[j];
      float x1 = b1[j];
      float x2 = b2[j];
      float x3 = b3[j];
      c0[j] = Math.fma(a03, x3, Math.fma(a02, x2, Math.fma(a01, x1, Math.fma(a00, x0, c0[j]))));
      c1[j] = Math.fma(a13, x3, Math.fma(a12, x2, Math.fma(a11, x1, Math.fma(a10, x0, c1[j]))));
      c2[j] = Math.fma(a23, x3, Math.fma(a22, x2, Math.fma(a21, x1, Math.fma(a20, x0, c2[j]))));
      c3[j] = Math.fma(a33, x3, Math.fma(a32, x2, Math.fma(a31, x1, Math.fma(a30, x0, c3[j]))));
    }
  }
}
