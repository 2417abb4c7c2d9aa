package dev.espalier.programs.mf;

import dev.espalier.data.Ratings;
import dev.espalier.sdk.OpenRows;

/// Stochastic gradient descent on one rating after the other, on rows where they lie.
///
/// A rating `r` of user `u` for item `i` moves both rows: with `e = mean + b_u + b_i + p_u . q_i -
/// r`, `p_u = (1 - lr l2) p_u - lr e q_i` and `q_i = (1 - lr l2) q_i - lr e p_u` from the values
/// before, and biases alike with `e` in place of `e q` and `e p`.
///
/// Source: Koren, Bell, Volinsky 2009, with all parts of a rating in one pass as in Chin, Zhuang,
/// Juan, Lin 2015 (LIBMF).
public interface FactorSteps {

  /// What a step needs beside the rows.
  ///
  /// @param mean what is predicted without factors
  /// @param learningRate `lr`
  /// @param l2 weight of the squared factors
  record Constants(float mean, float learningRate, float l2) {}

  /// What there is to step through.
  ///
  /// @param users rows in the layout of `shape`
  /// @param items rows in the layout of `shape`
  /// @param samples ratings of a clock, by their index
  record Work(
      OpenRows users,
      OpenRows items,
      FactorShape shape,
      Ratings ratings,
      int[] samples,
      Constants constants) {}

  /// Takes the ratings `samples[from]` to `samples[to - 1]`, one after the other.
  ///
  /// @return the sum of `e^2 / 2`, each before its own step
  double take(Work work, int from, int to);

  /// {@return the form without vectors, for comparisons}
  static FactorSteps plain() {
    return new PlainFactorSteps();
  }

  /// {@return the fastest that this JVM can run}
  static FactorSteps best() {
    // The class is named in a text, so that a JVM without the incubator module never loads it.
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return new PlainFactorSteps();
    }
    try {
      return (FactorSteps)
          Class.forName("dev.espalier.programs.mf.VectorFactorSteps")
              .getDeclaredConstructor()
              .newInstance();
    } catch (ReflectiveOperationException failure) {
      throw new IllegalStateException("the vector steps do not load", failure);
    }
  }
}
