package dev.espalier.ps.kernel;

import dev.espalier.ps.kernel.LaneCode.Lanes;
import dev.espalier.ps.machine.MachineCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Steps into fresh pages that do not read what they overwrite: what is written goes past the
/// caches, but for parameters that are written over their gradients.
///
/// The JVM compiles no such stores, so these are loops of machine code ([LaneCode]), each made when
/// it is first used. What they do not take is left to ordinary kernels: steps in place, steps that
/// write nothing but over their gradients, steps that look back, planes that do not begin at a line
/// of the caches, the last few elements, and all where there is no such code. Thread-safe.
final class StreamingStepKernels implements StepKernels<StepSpan> {
  private static final int PASS = LaneCode.PASS_BYTES / Float.BYTES;

  /// The garbage collector waits for each call.
  private static final int MOST = 1 << 18;

  private static final float ALL_BUT_SIGN = Float.intBitsToFloat(0x7fff_ffff);
  private static final float SIGN = -0f;

  private static final Rule SGD = new Rule(1, (c, g, k) -> c.store(0, c.load(0).sub(g.mul(k[0]))));

  private static final Rule MOMENTUM =
      new Rule(
          2,
          (c, g, k) -> {
            Lanes v = c.load(1).mul(k[1]).add(g.mul(k[2]));
            c.store(0, c.load(0).sub(v.mul(k[0])));
            c.store(1, v);
          });

  private static final Rule NESTEROV =
      new Rule(
          2,
          (c, g, k) -> {
            Lanes v = c.load(1).mul(k[1]).add(g);
            c.store(0, c.load(0).sub(g.add(v.mul(k[1])).mul(k[0])));
            c.store(1, v);
          });

  private static final Rule ADA_GRAD =
      new Rule(
          2,
          (c, g, k) -> {
            Lanes a = c.load(1).add(g.mul(g));
            c.store(0, c.load(0).sub(g.mul(k[0]).div(a.sqrt().add(k[1]))));
            c.store(1, a);
          });

  private static final Rule RMS_PROP =
      new Rule(
          2,
          (c, g, k) -> {
            Lanes a = c.load(1).mul(k[1]).add(g.mul(g).mul(k[2]));
            c.store(0, c.load(0).sub(g.mul(k[0]).div(a.sqrt().add(k[3]))));
            c.store(1, a);
          });

  private static final Rule ADAM =
      new Rule(
          3,
          (c, g, k) -> {
            Lanes w = c.load(0);
            Lanes m = c.load(1).mul(k[1]).add(g.mul(k[2]));
            Lanes v = c.load(2).mul(k[3]).add(g.mul(g).mul(k[4]));
            Lanes d = m.mul(k[5]).div(v.mul(k[6]).sqrt().add(k[7]));
            c.store(0, w.sub(d.add(w.mul(k[8])).mul(k[0])));
            c.store(1, m);
            c.store(2, v);
          });

  private static final Rule ADA_DELTA =
      new Rule(
          3,
          (c, g, k) -> {
            Lanes a = c.load(1).mul(k[1]).add(g.mul(g).mul(k[2]));
            Lanes x = c.load(2);
            Lanes d = x.add(k[3]).sqrt().div(a.add(k[3]).sqrt()).mul(g);
            c.store(0, c.load(0).sub(d.mul(k[0])));
            c.store(1, a);
            c.store(2, x.mul(k[1]).add(d.mul(d).mul(k[2])));
          });

  private static final Rule ADA_REVISION =
      new Rule(
          4,
          (c, g, k) -> {
            Lanes z = c.load(2).add(g.mul(g));
            Lanes zMax = z.max(c.load(3));
            Lanes eta = k[0].div(zMax.add(k[1]).sqrt());
            c.store(0, c.load(0).sub(eta.mul(g)));
            c.store(1, c.load(1).add(g));
            c.store(2, z);
            c.store(3, zMax);
          });

  private static final Rule PROXIMAL_SGD =
      new Rule(
          1,
          (c, g, k) -> {
            Lanes w = c.load(0).sub(g.mul(k[0]));
            c.store(0, soft(w, k[1], k[3], k[4], k[5]).div(k[2]));
          });

  private static final Rule PROXIMAL_ADA_GRAD =
      new Rule(
          2,
          (c, g, k) -> {
            Lanes a = c.load(1).add(g.mul(g));
            Lanes h = k[0].div(a.sqrt().add(k[1]));
            Lanes w = c.load(0).sub(h.mul(g));
            Lanes shrunk = soft(w, h.mul(k[2]), k[5], k[6], k[7]);
            c.store(0, shrunk.div(h.mul(k[3]).add(k[4])));
            c.store(1, a);
          });

  private final StepKernels<StepSpan> ordinary;
  private final LaneCode.Width width;

  /// @param ordinary for all that is not streamed
  /// @param width of the processor's registers
  StreamingStepKernels(StepKernels<StepSpan> ordinary, LaneCode.Width width) {
    this.ordinary = ordinary;
    this.width = width;
  }

  /// `sign(w) max(|w| - by, 0)`; NaN stays NaN.
  private static Lanes soft(Lanes w, Lanes by, Lanes allButSign, Lanes sign, Lanes zero) {
    Lanes t = w.and(allButSign).sub(by);
    return t.or(w.and(sign)).where(t.isAtMost(zero), zero);
  }

  @Override
  public void sgd(StepSpan span, float lr) {
    ordinary.sgd(SGD.take(width, span, lr), lr);
  }

  @Override
  public void momentum(StepSpan span, float lr, float m, float h) {
    ordinary.momentum(MOMENTUM.take(width, span, lr, m, h), lr, m, h);
  }

  @Override
  public void nesterov(StepSpan span, float lr, float m) {
    ordinary.nesterov(NESTEROV.take(width, span, lr, m), lr, m);
  }

  @Override
  public void adaGrad(StepSpan span, float lr, float eps) {
    ordinary.adaGrad(ADA_GRAD.take(width, span, lr, eps), lr, eps);
  }

  @Override
  public void rmsProp(StepSpan span, float lr, float rho, float eps) {
    ordinary.rmsProp(RMS_PROP.take(width, span, lr, rho, 1 - rho, eps), lr, rho, eps);
  }

  @Override
  public void adam(StepSpan span, AdamStep step) {
    StepSpan rest =
        ADAM.take(
            width,
            span,
            step.learningRate(),
            step.beta1(),
            1 - step.beta1(),
            step.beta2(),
            1 - step.beta2(),
            step.factor1(),
            step.factor2(),
            step.epsilon(),
            step.weightDecay());
    ordinary.adam(rest, step);
  }

  @Override
  public void adaDelta(StepSpan span, float lr, float rho, float eps) {
    ordinary.adaDelta(ADA_DELTA.take(width, span, lr, rho, 1 - rho, eps), lr, rho, eps);
  }

  @Override
  public void adaRevision(StepSpan span, float lr, float z0) {
    ordinary.adaRevision(ADA_REVISION.take(width, span, lr, z0), lr, z0);
  }

  @Override
  public void proximalSgd(StepSpan span, float lr, float l1, float l2) {
    StepSpan rest = PROXIMAL_SGD.take(width, span, lr, lr * l1, 1 + lr * l2, ALL_BUT_SIGN, SIGN, 0);
    ordinary.proximalSgd(rest, lr, l1, l2);
  }

  @Override
  public void proximalAdaGrad(StepSpan span, float lr, float eps, float l1, float l2) {
    StepSpan rest = PROXIMAL_ADA_GRAD.take(width, span, lr, eps, l1, l2, 1, ALL_BUT_SIGN, SIGN, 0);
    ordinary.proximalAdaGrad(rest, lr, eps, l1, l2);
  }

  /// What a rule computes of the elements of a register, as the ordinary kernels do.
  private interface Formula {
    /// @param code to which loads and stores are added
    /// @param gradient `g`
    /// @param constants of the step
    void write(LaneCode code, Lanes gradient, Lanes[] constants);
  }

  /// One of a rule's loops.
  ///
  /// @param width of the registers
  /// @param isProduct whether sums are multiplied to become the gradient, else divided
  /// @param isOverGradient whether the parameters are written over them
  private record Variant(LaneCode.Width width, boolean isProduct, boolean isOverGradient) {}

  /// A rule's loops. Thread-safe.
  private static final class Rule {
    private final int planes;
    private final Formula formula;

    private final Map<Variant, Optional<MethodHandle>> loops = new ConcurrentHashMap<>();

    /// @param planes of parameters and state
    Rule(int planes, Formula formula) {
      this.planes = planes;
      this.formula = formula;
    }

    /// Steps what it can.
    ///
    /// @return what is left to step
    StepSpan take(LaneCode.Width width, StepSpan span, float... constants) {
      int length = span.length() / PASS * PASS;
      if (length == 0 || !suits(span)) {
        return span;
      }
      var variant =
          new Variant(width, StepSpan.hasExactReciprocal(span.divisor()), span.gradient() == null);
      Optional<MethodHandle> loop =
          loops.computeIfAbsent(variant, one -> link(assemble(one, constants.length)));
      if (loop.isEmpty()) {
        return span;
      }
      float factor = variant.isProduct() ? 1 / span.divisor() : span.divisor();
      MemorySegment lanes = inLanes(width.lanes(), factor, constants);
      StepSpan rest = span;
      while (rest.length() >= PASS) {
        int now = Math.min(rest.length() / PASS * PASS, MOST);
        call(loop.get(), rest, now, lanes);
        rest = rest.after(now);
      }
      return rest;
    }

    private boolean suits(StepSpan span) {
      return writesPastCaches(span)
          && !span.from().equals(span.to())
          && span.seen() == null
          && span.planeBytes() == span.toPlaneBytes()
          && span.planeBytes() % LaneCode.PASS_BYTES == 0
          && span.to().isNative()
          && (span.to().address() + span.toOffset()) % LaneCode.PASS_BYTES == 0;
    }

    private boolean writesPastCaches(StepSpan span) {
      return planes > 1 || span.gradient() != null;
    }

    private static MemorySegment inLanes(int lanes, float factor, float[] constants) {
      float[] all = new float[(1 + constants.length) * lanes];
      Arrays.fill(all, 0, lanes, factor);
      for (int i = 0; i < constants.length; i++) {
        Arrays.fill(all, (i + 1) * lanes, (i + 2) * lanes, constants[i]);
      }
      return MemorySegment.ofArray(all);
    }

    /// Slices are as long as what the loop reads and writes, so that these are bounds.
    private void call(MethodHandle loop, StepSpan span, int length, MemorySegment constants) {
      long bytes = (long) length * Float.BYTES;
      long reach = (planes - 1) * span.planeBytes() + bytes;
      MemorySegment from = span.from().asSlice(span.offset(), reach);
      MemorySegment to = span.to().asSlice(span.toOffset(), reach);
      float[] array = span.gradient();
      MemorySegment sums =
          array == null
              ? to
              : MemorySegment.ofArray(array)
                  .asSlice((long) span.gradientOffset() * Float.BYTES, bytes);
      try {
        loop.invokeExact(from, to, span.planeBytes(), sums, constants, bytes);
      } catch (Throwable e) {
        throw MachineCode.thrownBy(e);
      }
    }

    private byte[] assemble(Variant variant, int constants) {
      var code = new LaneCode(variant.width(), variant.isOverGradient());
      Lanes factor = code.constant(0);
      Lanes gradient = variant.isProduct() ? code.sums().mul(factor) : code.sums().div(factor);
      var all = new Lanes[constants];
      Arrays.setAll(all, i -> code.constant(1 + i));
      formula.write(code, gradient, all);
      return code.assemble();
    }

    private static Optional<MethodHandle> link(byte[] code) {
      return Optional.ofNullable(
          MachineCode.link(
              "streaming",
              code,
              true,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG));
    }
  }
}
