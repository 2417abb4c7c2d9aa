package dev.espalier.bench.jmh;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Nanoseconds of one call of each operation on rows.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class RowKernelsBenchmark {
  private static final int ROWS = 1 << 10;
  private static final int PLANES = 4;

  /// Floats in a call; 16,384 of all planes are about what the second cache level holds.
  @Param({"64", "16384"})
  public int length;

  /// `vector` or `scalar`.
  @Param({"vector", "scalar"})
  public String kernels = "";

  private RowKernels of = RowKernelsProvider.best();
  private float[] x = {};
  private float[] y = {};
  private int[] places = {};
  private MemorySegment page = MemorySegment.NULL;
  private MemorySegment fresh = MemorySegment.NULL;

  /// Makes the data.
  @Setup(Level.Trial)
  public void open() {
    of = RowKernelsProvider.named(kernels);
    x = new float[length];
    y = new float[length];
    Arrays.fill(x, 1e-3f);
    Arrays.fill(y, 1);
    places = new SplittableRandom(1).ints(ROWS, 0, Math.max(1, length / 16)).toArray();
    page = Arena.ofAuto().allocate((long) PLANES * length * Float.BYTES, 64);
    fresh = Arena.ofAuto().allocate((long) PLANES * length * Float.BYTES, 64);
  }

  /// `y += x`.
  @Benchmark
  public float[] add() {
    of.add(x, 0, y, 0, length);
    return y;
  }

  /// `y += a x`.
  @Benchmark
  public float[] axpy() {
    of.axpy(1e-9f, x, 0, y, 0, length);
    return y;
  }

  /// Inner product.
  @Benchmark
  public float dot() {
    return of.dot(x, 0, y, 0, length);
  }

  /// Some rows of 16 floats, together.
  @Benchmark
  public float[] gather() {
    of.gather(x, places, 0, length / 16, 16, y, 0);
    return y;
  }

  /// Some rows of 16 floats, apart.
  @Benchmark
  public float[] scatterAdd() {
    of.scatterAdd(x, 0, places, 0, length / 16, 16, y);
    return y;
  }

  private void step(String name, MemorySegment to) {
    UpdateRule.named(name, RuleOptions.defaultsOf(name))
        .step(
            of,
            new StepSpan(page, to, 0, (long) length * Float.BYTES, x, 0, 1, length, null),
            StepSize.of(1e-6),
            1);
  }

  /// Plain step in place.
  @Benchmark
  public void sgd() {
    step("sgd", page);
  }

  /// Plain step to another page.
  @Benchmark
  public void sgdOutOfPlace() {
    step("sgd", fresh);
  }

  /// Momentum in place.
  @Benchmark
  public void momentum() {
    step("momentum", page);
  }

  /// Momentum to another page.
  @Benchmark
  public void momentumOutOfPlace() {
    step("momentum", fresh);
  }

  /// AdaGrad in place.
  @Benchmark
  public void adaGrad() {
    step("adagrad", page);
  }

  /// RMSProp in place.
  @Benchmark
  public void rmsProp() {
    step("rmsprop", page);
  }

  /// Adam in place.
  @Benchmark
  public void adam() {
    step("adam", page);
  }

  /// Adam to another page.
  @Benchmark
  public void adamOutOfPlace() {
    step("adam", fresh);
  }

  /// AdaDelta in place.
  @Benchmark
  public void adaDelta() {
    step("adadelta", page);
  }

  /// AdaptiveRevision in place.
  @Benchmark
  public void adaRevision() {
    step("adarevision", page);
  }

  /// Proximal gradient step in place.
  @Benchmark
  public void proximalSgd() {
    step("proximal-sgd", page);
  }

  /// Proximal AdaGrad in place.
  @Benchmark
  public void proximalAdaGrad() {
    step("proximal-adagrad", page);
  }
}
