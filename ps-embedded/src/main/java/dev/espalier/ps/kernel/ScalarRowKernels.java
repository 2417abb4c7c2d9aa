package dev.espalier.ps.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// [RowKernels] in plain loops; works everywhere and is the reference for the others.
public final class ScalarRowKernels implements RowKernels {

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public void add(float[] x, int xOffset, float[] y, int yOffset, int length) {
    for (int i = 0; i < length; i++) {
      y[yOffset + i] += x[xOffset + i];
    }
  }

  @Override
  public void add(float[] x, int xOffset, MemorySegment y, long yOffset, int length) {
    for (int i = 0; i < length; i++) {
      long at = yOffset + 4L * i;
      y.set(StepSpan.FLOAT, at, y.get(StepSpan.FLOAT, at) + x[xOffset + i]);
    }
  }

  @Override
  public void axpy(float a, float[] x, int xOffset, float[] y, int yOffset, int length) {
    for (int i = 0; i < length; i++) {
      y[yOffset + i] += a * x[xOffset + i];
    }
  }

  @Override
  public void scale(float a, float[] x, int offset, int length) {
    for (int i = 0; i < length; i++) {
      x[offset + i] *= a;
    }
  }

  @Override
  public void copy(
      MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long bytes) {
    MemorySegment.copy(from, fromOffset, to, toOffset, bytes);
  }

  @Override
  public void gatherRows(
      MemorySegment[] pages,
      long[] offsets,
      long shift,
      int count,
      int columns,
      MemorySegment to,
      long toOffset) {
    if (columns == 1) {
      for (int i = 0; i < count; i++) {
        to.set(StepSpan.FLOAT, toOffset + 4L * i, pages[i].get(StepSpan.FLOAT, offsets[i] + shift));
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      MemorySegment page = pages[i];
      long at = offsets[i] + shift;
      long target = toOffset + 4L * columns * i;
      for (int k = 0; k < columns; k++) {
        to.set(StepSpan.FLOAT, target + 4L * k, page.get(StepSpan.FLOAT, at + 4L * k));
      }
    }
  }

  @Override
  public void scatterRows(
      MemorySegment from,
      long fromOffset,
      MemorySegment[] pages,
      long[] offsets,
      long shift,
      int count,
      int columns) {
    if (columns == 1) {
      for (int i = 0; i < count; i++) {
        float value = from.get(StepSpan.FLOAT, fromOffset + 4L * i);
        pages[i].set(StepSpan.FLOAT, offsets[i] + shift, value);
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      MemorySegment page = pages[i];
      long at = offsets[i] + shift;
      long source = fromOffset + 4L * columns * i;
      for (int k = 0; k < columns; k++) {
        page.set(StepSpan.FLOAT, at + 4L * k, from.get(StepSpan.FLOAT, source + 4L * k));
      }
    }
  }

  @Override
  public void load(MemorySegment from, long fromOffset, float[] to, int toOffset, int length) {
    MemorySegment.copy(from, ValueLayout.JAVA_FLOAT_UNALIGNED, fromOffset, to, toOffset, length);
  }

  @Override
  public void gather(
      float[] from, int[] places, int first, int count, int columns, float[] to, int toOffset) {
    if (columns == 1) {
      for (int k = 0; k < count; k++) {
        int place = places[first + k];
        to[toOffset + k] = from[place < 0 ? ~place : place];
      }
      return;
    }
    for (int k = 0; k < count; k++) {
      int place = places[first + k];
      System.arraycopy(
          from, (place < 0 ? ~place : place) * columns, to, toOffset + k * columns, columns);
    }
  }

  @Override
  public void scatterAdd(
      float[] from, int fromOffset, int[] places, int first, int count, int columns, float[] to) {
    scatterAdd(this, from, fromOffset, places, first, count, columns, to);
  }

  /// Row by row with the sums of `kernels`.
  static void scatterAdd(
      RowKernels kernels,
      float[] from,
      int fromOffset,
      int[] places,
      int first,
      int count,
      int columns,
      float[] to) {
    if (columns == 1) {
      for (int k = 0; k < count; k++) {
        int place = places[first + k];
        if (place < 0) {
          to[~place] = from[fromOffset + k];
        } else {
          to[place] += from[fromOffset + k];
        }
      }
      return;
    }
    for (int k = 0; k < count; k++) {
      int place = places[first + k];
      if (place < 0) {
        System.arraycopy(from, fromOffset + k * columns, to, ~place * columns, columns);
      } else {
        kernels.add(from, fromOffset + k * columns, to, place * columns, columns);
      }
    }
  }

  @Override
  public float dot(float[] x, int xOffset, float[] y, int yOffset, int length) {
    float sum = 0;
    for (int i = 0; i < length; i++) {
      sum += x[xOffset + i] * y[yOffset + i];
    }
    return sum;
  }

  @Override
  public void sgd(StepSpan span, float learningRate) {
    sgd(span, 0, learningRate);
  }

  @Override
  public void momentum(StepSpan span, float learningRate, float momentum, float gradientWeight) {
    momentum(span, 0, learningRate, momentum, gradientWeight);
  }

  @Override
  public void nesterov(StepSpan span, float learningRate, float momentum) {
    nesterov(span, 0, learningRate, momentum);
  }

  @Override
  public void adaGrad(StepSpan span, float learningRate, float epsilon) {
    adaGrad(span, 0, learningRate, epsilon);
  }

  @Override
  public void rmsProp(StepSpan span, float learningRate, float decay, float epsilon) {
    rmsProp(span, 0, learningRate, decay, epsilon);
  }

  @Override
  public void adam(StepSpan span, AdamStep step) {
    adam(span, 0, step);
  }

  @Override
  public void adaDelta(StepSpan span, float learningRate, float decay, float epsilon) {
    adaDelta(span, 0, learningRate, decay, epsilon);
  }

  @Override
  public void adaRevision(StepSpan span, float learningRate, float initialAccumulator) {
    adaRevision(span, 0, learningRate, initialAccumulator);
  }

  @Override
  public void proximalSgd(StepSpan span, float learningRate, float l1, float l2) {
    proximalSgd(span, 0, learningRate, l1, l2);
  }

  @Override
  public void proximalAdaGrad(
      StepSpan span, float learningRate, float epsilon, float l1, float l2) {
    proximalAdaGrad(span, 0, learningRate, epsilon, l1, l2);
  }

  // The static forms start at an element, so that a vector kernel can hand over its tail.

  static void sgd(StepSpan s, int start, float lr) {
    for (int i = start; i < s.length(); i++) {
      s.put(0, i, s.get(0, i) - lr * s.gradient(i));
    }
  }

  static void momentum(StepSpan s, int start, float lr, float m, float h) {
    for (int i = start; i < s.length(); i++) {
      float v = m * s.get(1, i) + h * s.gradient(i);
      s.put(0, i, s.get(0, i) - lr * v);
      s.put(1, i, v);
    }
  }

  static void nesterov(StepSpan s, int start, float lr, float m) {
    for (int i = start; i < s.length(); i++) {
      float g = s.gradient(i);
      float v = m * s.get(1, i) + g;
      s.put(0, i, s.get(0, i) - lr * (g + m * v));
      s.put(1, i, v);
    }
  }

  static void adaGrad(StepSpan s, int start, float lr, float eps) {
    for (int i = start; i < s.length(); i++) {
      float g = s.gradient(i);
      float a = s.get(1, i) + g * g;
      s.put(0, i, s.get(0, i) - lr * g / (sqrt(a) + eps));
      s.put(1, i, a);
    }
  }

  static void rmsProp(StepSpan s, int start, float lr, float rho, float eps) {
    for (int i = start; i < s.length(); i++) {
      float g = s.gradient(i);
      float a = rho * s.get(1, i) + (1 - rho) * (g * g);
      s.put(0, i, s.get(0, i) - lr * g / (sqrt(a) + eps));
      s.put(1, i, a);
    }
  }

  static void adam(StepSpan s, int start, AdamStep k) {
    for (int i = start; i < s.length(); i++) {
      float g = s.gradient(i);
      float w = s.get(0, i);
      float m = k.beta1() * s.get(1, i) + (1 - k.beta1()) * g;
      float v = k.beta2() * s.get(2, i) + (1 - k.beta2()) * (g * g);
      float d = k.factor1() * m / (sqrt(k.factor2() * v) + k.epsilon());
      s.put(0, i, w - k.learningRate() * (d + k.weightDecay() * w));
      s.put(1, i, m);
      s.put(2, i, v);
    }
  }

  static void adaDelta(StepSpan s, int start, float lr, float rho, float eps) {
    for (int i = start; i < s.length(); i++) {
      float g = s.gradient(i);
      float a = rho * s.get(1, i) + (1 - rho) * (g * g);
      float x = s.get(2, i);
      float d = sqrt(x + eps) / sqrt(a + eps) * g;
      s.put(0, i, s.get(0, i) - lr * d);
      s.put(1, i, a);
      s.put(2, i, rho * x + (1 - rho) * (d * d));
    }
  }

  static void adaRevision(StepSpan s, int start, float lr, float z0) {
    MemorySegment seen = s.seen();
    for (int i = start; i < s.length(); i++) {
      float g = s.gradient(i);
      float sum = s.get(1, i);
      float z = s.get(2, i) + g * g;
      float zMaxOld = s.get(3, i);
      float back = 0;
      if (seen != null) {
        back = sum - seen.get(StepSpan.FLOAT, s.at(1, i));
        z = s.get(2, i) + (g * g + 2 * g * back);
      }
      float zMax = Math.max(z, zMaxOld);
      float eta = lr / sqrt(zMax + z0);
      float w = s.get(0, i) - eta * g;
      if (seen != null) {
        w += (lr / sqrt(zMaxOld + z0) - eta) * back;
      }
      s.put(0, i, w);
      s.put(1, i, sum + g);
      s.put(2, i, z);
      s.put(3, i, zMax);
    }
  }

  static void proximalSgd(StepSpan s, int start, float lr, float l1, float l2) {
    for (int i = start; i < s.length(); i++) {
      float w = s.get(0, i) - lr * s.gradient(i);
      s.put(0, i, soft(w, lr * l1) / (1 + lr * l2));
    }
  }

  static void proximalAdaGrad(StepSpan s, int start, float lr, float eps, float l1, float l2) {
    for (int i = start; i < s.length(); i++) {
      float g = s.gradient(i);
      float a = s.get(1, i) + g * g;
      float h = lr / (sqrt(a) + eps);
      s.put(0, i, soft(s.get(0, i) - h * g, h * l1) / (1 + h * l2));
      s.put(1, i, a);
    }
  }

  /// Soft threshold `sign(w) max(|w| - c, 0)`; NaN stays NaN, so that a divergence is not hidden.
  private static float soft(float w, float c) {
    float t = Math.abs(w) - c;
    if (t <= 0) {
      return 0;
    }
    return w < 0 ? -t : t;
  }

  private static float sqrt(float x) {
    return (float) Math.sqrt(x);
  }
}
