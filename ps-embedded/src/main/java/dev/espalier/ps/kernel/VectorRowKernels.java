package dev.espalier.ps.kernel;

import static jdk.incubator.vector.VectorOperators.LE;
import static jdk.incubator.vector.VectorOperators.LT;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// [RowKernels] with the widest vectors of the machine; the only class that uses the incubator
/// module, and therefore only ever loaded by name.
final class VectorRowKernels implements RowKernels {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_PREFERRED;
  private static final int VECTOR_BYTES = BYTES.vectorByteSize();
  private static final VectorSpecies<Byte> FEW = ByteVector.SPECIES_128;
  private static final int FEW_BYTES = FEW.vectorByteSize();

  /// From here on the JVM's own copy is as fast.
  private static final int MAX_SHORT_BYTES = 2048;

  private static final ScalarRowKernels SCALAR = new ScalarRowKernels();

  /// A processor with vectors of 256 or 512 bits knows the instructions.
  private final StepKernels<StepSpan> streaming = streamed();

  @Override
  public String name() {
    return "vector-" + SPECIES.vectorBitSize();
  }

  private StepKernels<StepSpan> streamed() {
    for (LaneCode.Width width : List.of(LaneCode.Width.WIDE, LaneCode.Width.NARROW)) {
      if (LANES >= width.lanes()) {
        return new StreamingStepKernels(this, width);
      }
    }
    return this;
  }

  @Override
  public StepKernels<StepSpan> streaming() {
    return streaming;
  }

  /// Number of floats in one vector.
  static int lanes() {
    return LANES;
  }

  @Override
  public void add(float[] x, int xOffset, float[] y, int yOffset, int length) {
    int i = 0;
    for (int end = SPECIES.loopBound(length); i < end; i += LANES) {
      FloatVector.fromArray(SPECIES, y, yOffset + i)
          .add(FloatVector.fromArray(SPECIES, x, xOffset + i))
          .intoArray(y, yOffset + i);
    }
    for (; i < length; i++) {
      y[yOffset + i] += x[xOffset + i];
    }
  }

  @Override
  public void add(float[] x, int xOffset, MemorySegment y, long yOffset, int length) {
    int i = 0;
    for (int end = SPECIES.loopBound(length); i < end; i += LANES) {
      long at = yOffset + 4L * i;
      FloatVector.fromMemorySegment(SPECIES, y, at, ORDER)
          .add(FloatVector.fromArray(SPECIES, x, xOffset + i))
          .intoMemorySegment(y, at, ORDER);
    }
    SCALAR.add(x, xOffset + i, y, yOffset + 4L * i, length - i);
  }

  @Override
  public void axpy(float a, float[] x, int xOffset, float[] y, int yOffset, int length) {
    int i = 0;
    for (int end = SPECIES.loopBound(length); i < end; i += LANES) {
      FloatVector.fromArray(SPECIES, y, yOffset + i)
          .add(FloatVector.fromArray(SPECIES, x, xOffset + i).mul(a))
          .intoArray(y, yOffset + i);
    }
    for (; i < length; i++) {
      y[yOffset + i] += a * x[xOffset + i];
    }
  }

  @Override
  public void scale(float a, float[] x, int offset, int length) {
    int i = 0;
    for (int end = SPECIES.loopBound(length); i < end; i += LANES) {
      FloatVector.fromArray(SPECIES, x, offset + i).mul(a).intoArray(x, offset + i);
    }
    for (; i < length; i++) {
      x[offset + i] *= a;
    }
  }

  @Override
  public void copy(
      MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long bytes) {
    if (bytes > MAX_SHORT_BYTES) {
      MemorySegment.copy(from, fromOffset, to, toOffset, bytes);
      return;
    }
    if (bytes < VECTOR_BYTES) {
      copyFew(from, fromOffset, to, toOffset, bytes);
      return;
    }
    // The last vector may hold some bytes of the one before.
    long last = bytes - VECTOR_BYTES;
    for (long i = 0; i < last; i += VECTOR_BYTES) {
      ByteVector.fromMemorySegment(BYTES, from, fromOffset + i, ORDER)
          .intoMemorySegment(to, toOffset + i, ORDER);
    }
    ByteVector.fromMemorySegment(BYTES, from, fromOffset + last, ORDER)
        .intoMemorySegment(to, toOffset + last, ORDER);
  }

  private static void copyFew(
      MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long bytes) {
    if (bytes < FEW_BYTES) {
      MemorySegment.copy(from, fromOffset, to, toOffset, bytes);
      return;
    }
    long last = bytes - FEW_BYTES;
    for (long i = 0; i < last; i += FEW_BYTES) {
      ByteVector.fromMemorySegment(FEW, from, fromOffset + i, ORDER)
          .intoMemorySegment(to, toOffset + i, ORDER);
    }
    ByteVector.fromMemorySegment(FEW, from, fromOffset + last, ORDER)
        .intoMemorySegment(to, toOffset + last, ORDER);
  }

  // One loop for each width of vectors: what copies a row must become a part of the loop over rows.

  @Override
  public void gatherRows(
      MemorySegment[] pages,
      long[] offsets,
      long shift,
      int count,
      int columns,
      MemorySegment to,
      long toOffset) {
    long bytes = 4L * columns;
    if (bytes >= VECTOR_BYTES) {
      long last = bytes - VECTOR_BYTES;
      for (int i = 0; i < count; i++) {
        long at = offsets[i] + shift;
        long target = toOffset + bytes * i;
        for (long k = 0; k < last; k += VECTOR_BYTES) {
          ByteVector.fromMemorySegment(BYTES, pages[i], at + k, ORDER)
              .intoMemorySegment(to, target + k, ORDER);
        }
        ByteVector.fromMemorySegment(BYTES, pages[i], at + last, ORDER)
            .intoMemorySegment(to, target + last, ORDER);
      }
    } else if (bytes >= FEW_BYTES) {
      long last = bytes - FEW_BYTES;
      for (int i = 0; i < count; i++) {
        long at = offsets[i] + shift;
        long target = toOffset + bytes * i;
        for (long k = 0; k < last; k += FEW_BYTES) {
          ByteVector.fromMemorySegment(FEW, pages[i], at + k, ORDER)
              .intoMemorySegment(to, target + k, ORDER);
        }
        ByteVector.fromMemorySegment(FEW, pages[i], at + last, ORDER)
            .intoMemorySegment(to, target + last, ORDER);
      }
    } else {
      SCALAR.gatherRows(pages, offsets, shift, count, columns, to, toOffset);
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
    long bytes = 4L * columns;
    if (bytes >= VECTOR_BYTES) {
      long last = bytes - VECTOR_BYTES;
      for (int i = 0; i < count; i++) {
        long at = offsets[i] + shift;
        long source = fromOffset + bytes * i;
        for (long k = 0; k < last; k += VECTOR_BYTES) {
          ByteVector.fromMemorySegment(BYTES, from, source + k, ORDER)
              .intoMemorySegment(pages[i], at + k, ORDER);
        }
        ByteVector.fromMemorySegment(BYTES, from, source + last, ORDER)
            .intoMemorySegment(pages[i], at + last, ORDER);
      }
    } else if (bytes >= FEW_BYTES) {
      long last = bytes - FEW_BYTES;
      for (int i = 0; i < count; i++) {
        long at = offsets[i] + shift;
        long source = fromOffset + bytes * i;
        for (long k = 0; k < last; k += FEW_BYTES) {
          ByteVector.fromMemorySegment(FEW, from, source + k, ORDER)
              .intoMemorySegment(pages[i], at + k, ORDER);
        }
        ByteVector.fromMemorySegment(FEW, from, source + last, ORDER)
            .intoMemorySegment(pages[i], at + last, ORDER);
      }
    } else {
      SCALAR.scatterRows(from, fromOffset, pages, offsets, shift, count, columns);
    }
  }

  @Override
  public void load(MemorySegment from, long fromOffset, float[] to, int toOffset, int length) {
    if (length > MAX_SHORT_BYTES / Float.BYTES) {
      SCALAR.load(from, fromOffset, to, toOffset, length);
      return;
    }
    if (length < LANES) {
      SCALAR.load(from, fromOffset, to, toOffset, length);
      return;
    }
    // The last vector may hold some floats of the one before.
    int last = length - LANES;
    for (int i = 0; i < last; i += LANES) {
      FloatVector.fromMemorySegment(SPECIES, from, fromOffset + 4L * i, ORDER)
          .intoArray(to, toOffset + i);
    }
    FloatVector.fromMemorySegment(SPECIES, from, fromOffset + 4L * last, ORDER)
        .intoArray(to, toOffset + last);
  }

  @Override
  public void gather(
      float[] from, int[] places, int first, int count, int columns, float[] to, int toOffset) {
    // The processor's gather is no faster than loads one by one, and rows are copied by moves.
    SCALAR.gather(from, places, first, count, columns, to, toOffset);
  }

  @Override
  public void scatterAdd(
      float[] from, int fromOffset, int[] places, int first, int count, int columns, float[] to) {
    // Places may repeat, so only a row's own floats can be added at once.
    ScalarRowKernels.scatterAdd(this, from, fromOffset, places, first, count, columns, to);
  }

  @Override
  public float dot(float[] x, int xOffset, float[] y, int yOffset, int length) {
    // Four sums hide the latency of the additions.
    FloatVector sums0 = FloatVector.zero(SPECIES);
    FloatVector sums1 = sums0;
    FloatVector sums2 = sums0;
    FloatVector sums3 = sums0;
    int i = 0;
    for (; i <= length - 4 * LANES; i += 4 * LANES) {
      sums0 = product(x, xOffset + i, y, yOffset + i, sums0);
      sums1 = product(x, xOffset + i + LANES, y, yOffset + i + LANES, sums1);
      sums2 = product(x, xOffset + i + 2 * LANES, y, yOffset + i + 2 * LANES, sums2);
      sums3 = product(x, xOffset + i + 3 * LANES, y, yOffset + i + 3 * LANES, sums3);
    }
    FloatVector sums = sums0.add(sums1).add(sums2.add(sums3));
    for (int end = SPECIES.loopBound(length); i < end; i += LANES) {
      sums = product(x, xOffset + i, y, yOffset + i, sums);
    }
    float sum = sums.reduceLanes(VectorOperators.ADD);
    for (; i < length; i++) {
      sum += x[xOffset + i] * y[yOffset + i];
    }
    return sum;
  }

  private static FloatVector product(
      float[] x, int xOffset, float[] y, int yOffset, FloatVector sums) {
    return FloatVector.fromArray(SPECIES, x, xOffset)
        .fma(FloatVector.fromArray(SPECIES, y, yOffset), sums);
  }

  @Override
  public void sgd(StepSpan s, float lr) {
    int end = SPECIES.loopBound(s.length());
    for (int i = 0; i < end; i += LANES) {
      store(s, 0, i, load(s, 0, i).sub(gradient(s, i).mul(lr)));
    }
    ScalarRowKernels.sgd(s, end, lr);
  }

  @Override
  public void momentum(StepSpan s, float lr, float m, float h) {
    int end = SPECIES.loopBound(s.length());
    for (int i = 0; i < end; i += LANES) {
      FloatVector v = load(s, 1, i).mul(m).add(gradient(s, i).mul(h));
      store(s, 0, i, load(s, 0, i).sub(v.mul(lr)));
      store(s, 1, i, v);
    }
    ScalarRowKernels.momentum(s, end, lr, m, h);
  }

  @Override
  public void nesterov(StepSpan s, float lr, float m) {
    int end = SPECIES.loopBound(s.length());
    for (int i = 0; i < end; i += LANES) {
      FloatVector g = gradient(s, i);
      FloatVector v = load(s, 1, i).mul(m).add(g);
      store(s, 0, i, load(s, 0, i).sub(g.add(v.mul(m)).mul(lr)));
      store(s, 1, i, v);
    }
    ScalarRowKernels.nesterov(s, end, lr, m);
  }

  @Override
  public void adaGrad(StepSpan s, float lr, float eps) {
    int end = SPECIES.loopBound(s.length());
    for (int i = 0; i < end; i += LANES) {
      FloatVector g = gradient(s, i);
      FloatVector a = load(s, 1, i).add(g.mul(g));
      store(s, 0, i, load(s, 0, i).sub(g.mul(lr).div(a.sqrt().add(eps))));
      store(s, 1, i, a);
    }
    ScalarRowKernels.adaGrad(s, end, lr, eps);
  }

  @Override
  public void rmsProp(StepSpan s, float lr, float rho, float eps) {
    int end = SPECIES.loopBound(s.length());
    for (int i = 0; i < end; i += LANES) {
      FloatVector g = gradient(s, i);
      FloatVector a = load(s, 1, i).mul(rho).add(g.mul(g).mul(1 - rho));
      store(s, 0, i, load(s, 0, i).sub(g.mul(lr).div(a.sqrt().add(eps))));
      store(s, 1, i, a);
    }
    ScalarRowKernels.rmsProp(s, end, lr, rho, eps);
  }

  @Override
  public void adam(StepSpan s, AdamStep k) {
    int end = SPECIES.loopBound(s.length());
    for (int i = 0; i < end; i += LANES) {
      FloatVector g = gradient(s, i);
      FloatVector w = load(s, 0, i);
      FloatVector m = load(s, 1, i).mul(k.beta1()).add(g.mul(1 - k.beta1()));
      FloatVector v = load(s, 2, i).mul(k.beta2()).add(g.mul(g).mul(1 - k.beta2()));
      FloatVector d = m.mul(k.factor1()).div(v.mul(k.factor2()).sqrt().add(k.epsilon()));
      store(s, 0, i, w.sub(d.add(w.mul(k.weightDecay())).mul(k.learningRate())));
      store(s, 1, i, m);
      store(s, 2, i, v);
    }
    ScalarRowKernels.adam(s, end, k);
  }

  @Override
  public void adaDelta(StepSpan s, float lr, float rho, float eps) {
    int end = SPECIES.loopBound(s.length());
    for (int i = 0; i < end; i += LANES) {
      FloatVector g = gradient(s, i);
      FloatVector a = load(s, 1, i).mul(rho).add(g.mul(g).mul(1 - rho));
      FloatVector x = load(s, 2, i);
      FloatVector d = x.add(eps).sqrt().div(a.add(eps).sqrt()).mul(g);
      store(s, 0, i, load(s, 0, i).sub(d.mul(lr)));
      store(s, 1, i, a);
      store(s, 2, i, x.mul(rho).add(d.mul(d).mul(1 - rho)));
    }
    ScalarRowKernels.adaDelta(s, end, lr, rho, eps);
  }

  @Override
  public void adaRevision(StepSpan s, float lr, float z0) {
    int end = SPECIES.loopBound(s.length());
    MemorySegment seen = s.seen();
    if (seen == null) {
      adaRevision(s, end, lr, z0);
    } else {
      adaRevision(s, end, seen, lr, z0);
    }
    ScalarRowKernels.adaRevision(s, end, lr, z0);
  }

  /// Where nothing was missed.
  private static void adaRevision(StepSpan s, int end, float lr, float z0) {
    FloatVector rate = FloatVector.broadcast(SPECIES, lr);
    for (int i = 0; i < end; i += LANES) {
      FloatVector g = gradient(s, i);
      FloatVector z = load(s, 2, i).add(g.mul(g));
      FloatVector zMax = z.max(load(s, 3, i));
      FloatVector eta = rate.div(zMax.add(z0).sqrt());
      store(s, 0, i, load(s, 0, i).sub(eta.mul(g)));
      store(s, 1, i, load(s, 1, i).add(g));
      store(s, 2, i, z);
      store(s, 3, i, zMax);
    }
  }

  private static void adaRevision(StepSpan s, int end, MemorySegment seen, float lr, float z0) {
    FloatVector rate = FloatVector.broadcast(SPECIES, lr);
    for (int i = 0; i < end; i += LANES) {
      FloatVector g = gradient(s, i);
      FloatVector sum = load(s, 1, i);
      FloatVector back = sum.sub(FloatVector.fromMemorySegment(SPECIES, seen, s.at(1, i), ORDER));
      FloatVector z = load(s, 2, i).add(g.mul(g).add(g.mul(2).mul(back)));
      FloatVector zMaxOld = load(s, 3, i);
      FloatVector zMax = z.max(zMaxOld);
      FloatVector etaOld = rate.div(zMaxOld.add(z0).sqrt());
      FloatVector eta = rate.div(zMax.add(z0).sqrt());
      store(s, 0, i, load(s, 0, i).sub(eta.mul(g)).add(etaOld.sub(eta).mul(back)));
      store(s, 1, i, sum.add(g));
      store(s, 2, i, z);
      store(s, 3, i, zMax);
    }
  }

  @Override
  public void proximalSgd(StepSpan s, float lr, float l1, float l2) {
    FloatVector threshold = FloatVector.broadcast(SPECIES, lr * l1);
    float shrink = 1 + lr * l2;
    int end = SPECIES.loopBound(s.length());
    for (int i = 0; i < end; i += LANES) {
      FloatVector w = load(s, 0, i).sub(gradient(s, i).mul(lr));
      store(s, 0, i, quotient(soft(w, threshold), shrink));
    }
    ScalarRowKernels.proximalSgd(s, end, lr, l1, l2);
  }

  @Override
  public void proximalAdaGrad(StepSpan s, float lr, float eps, float l1, float l2) {
    FloatVector rate = FloatVector.broadcast(SPECIES, lr);
    int end = SPECIES.loopBound(s.length());
    for (int i = 0; i < end; i += LANES) {
      FloatVector g = gradient(s, i);
      FloatVector a = load(s, 1, i).add(g.mul(g));
      FloatVector h = rate.div(a.sqrt().add(eps));
      FloatVector w = load(s, 0, i).sub(h.mul(g));
      store(s, 0, i, soft(w, h.mul(l1)).div(h.mul(l2).add(1)));
      store(s, 1, i, a);
    }
    ScalarRowKernels.proximalAdaGrad(s, end, lr, eps, l1, l2);
  }

  private static FloatVector soft(FloatVector w, FloatVector c) {
    FloatVector t = w.abs().sub(c);
    return t.blend(t.neg(), w.compare(LT, 0)).blend(0f, t.compare(LE, 0));
  }

  private static FloatVector load(StepSpan s, int plane, int i) {
    return FloatVector.fromMemorySegment(SPECIES, s.from(), s.at(plane, i), ORDER);
  }

  private static void store(StepSpan s, int plane, int i, FloatVector value) {
    value.intoMemorySegment(s.to(), s.toAt(plane, i), ORDER);
  }

  private static FloatVector gradient(StepSpan s, int i) {
    float[] array = s.gradient();
    FloatVector sums =
        array == null
            ? FloatVector.fromMemorySegment(SPECIES, s.to(), s.toAt(0, i), ORDER)
            : FloatVector.fromArray(SPECIES, array, s.gradientOffset() + i);
    return quotient(sums, s.divisor());
  }

  /// The same bits for less: divisions are what bounds the rules with roots.
  private static FloatVector quotient(FloatVector dividend, float divisor) {
    return StepSpan.hasExactReciprocal(divisor) ? dividend.mul(1 / divisor) : dividend.div(divisor);
  }
}
