package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;
import java.util.List;

/// How a mean gradient `g` changes the parameters `w` and the optimizer state beside them.
///
/// Rules are element-wise and write every element they are given, parameters and all state arrays,
/// so that a step may be taken out of place. State arrays start at zero. A NaN or infinite gradient
/// makes the parameters NaN or infinite; nothing is hidden.
public sealed interface UpdateRule
    permits Add,
        Sgd,
        Momentum,
        EmaMomentum,
        Nesterov,
        AdaGrad,
        RmsProp,
        Adam,
        AdamW,
        AdaDelta,
        AdaRevision,
        ProximalSgd,
        ProximalAdaGrad {

  /// The name by which a table asks for this rule.
  String name();

  /// Number of state arrays, each as large as the parameters.
  int stateArrays();

  /// Whether a step is given the mean of the updates over all samples, otherwise their sum.
  default boolean takesMeans() {
    return true;
  }

  /// Whether a step needs to know the state that the pushing worker had last read.
  default boolean looksBack() {
    return false;
  }

  /// Takes one step.
  ///
  /// @param <S> how the elements are named
  /// @param kernels the arithmetic
  /// @param span the elements
  /// @param stepSize learning rate and momentum, of a clock that updates
  /// @param stepNumber number of this step in the table's history on this branch, 1 for the first
  <S> void step(StepKernels<S> kernels, S span, StepSize stepSize, long stepNumber);

  /// The names of all rules.
  static List<String> names() {
    return List.of(
        Add.NAME,
        Sgd.NAME,
        Momentum.NAME,
        EmaMomentum.NAME,
        Nesterov.NAME,
        AdaGrad.NAME,
        RmsProp.NAME,
        Adam.NAME,
        AdamW.NAME,
        AdaDelta.NAME,
        AdaRevision.NAME,
        ProximalSgd.NAME,
        ProximalAdaGrad.NAME);
  }

  /// The rule of a name.
  ///
  /// @throws IllegalArgumentException when there is none
  static UpdateRule named(String name, RuleOptions options) {
    return switch (name) {
      case Add.NAME -> new Add();
      case Sgd.NAME -> new Sgd();
      case Momentum.NAME -> new Momentum(options);
      case EmaMomentum.NAME -> new EmaMomentum(options);
      case Nesterov.NAME -> new Nesterov(options);
      case AdaGrad.NAME -> new AdaGrad(options);
      case RmsProp.NAME -> new RmsProp(options);
      case Adam.NAME -> new Adam(options);
      case AdamW.NAME -> new AdamW(options);
      case AdaDelta.NAME -> new AdaDelta(options);
      case AdaRevision.NAME -> new AdaRevision(options);
      case ProximalSgd.NAME -> new ProximalSgd(options);
      case ProximalAdaGrad.NAME -> new ProximalAdaGrad(options);
      default ->
          throw new IllegalArgumentException("rule must be one of " + names() + " but is " + name);
    };
  }
}
