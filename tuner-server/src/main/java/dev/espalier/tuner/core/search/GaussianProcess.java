package dev.espalier.tuner.core.search;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.CholeskyDecomposition;
import org.apache.commons.math3.linear.NonPositiveDefiniteMatrixException;
import org.apache.commons.math3.linear.NonSymmetricMatrixException;
import org.apache.commons.math3.linear.RealMatrix;
import org.jspecify.annotations.Nullable;

/*
 * Gaussian process regression with the Matern 5/2 kernel and one length scale per dimension (Snoek,
 * Larochelle, Adams 2012, section 3.1, equation 7; Rasmussen and Williams 2006, algorithm 2.1):
 *
 *   r^2(x, x') = sum_d (x_d - x'_d)^2 / l_d^2
 *   k(x, x')   = a (1 + sqrt(5) r + 5/3 r^2) exp(-sqrt(5) r)
 *   L L^T = K + n I        alpha = L^-T L^-1 y
 *   log p(y | X) = -1/2 y^T alpha - sum_i log L_ii - N/2 log(2 pi)
 *   mean(x) = k^T alpha    variance(x) = k(x, x) - |L^-1 k|^2
 */

/// A Gaussian process with mean zero, conditioned on observed values.
final class GaussianProcess {
  /// Added to the diagonal, so that equal points do no harm.
  private static final double JITTER = 1e-8;

  private static final double SQRT5 = Math.sqrt(5);

  private final double[][] points;
  private final double[] values;
  private final double[] lengthScales;
  private final double amplitude;
  private final double[][] factor;
  private final double[] weights;
  private final double logLikelihood;

  private GaussianProcess(
      double[][] points,
      double[] values,
      double[] lengthScales,
      double amplitude,
      double[][] factor) {
    this.points = points;
    this.values = values;
    this.lengthScales = lengthScales;
    this.amplitude = amplitude;
    this.factor = factor;
    double[] half = solveLower(values);
    this.weights = solveUpper(half);
    double fit = 0;
    double logDeterminant = 0;
    for (int i = 0; i < half.length; i++) {
      fit += half[i] * half[i];
      logDeterminant += Math.log(factor[i][i]);
    }
    this.logLikelihood = -0.5 * fit - logDeterminant - 0.5 * half.length * Math.log(2 * Math.PI);
  }

  /// Conditions a process on what was observed.
  ///
  /// @param points N x D, in the unit cube; N >= 1
  /// @param values N, finite, with mean about 0 and deviation about 1
  /// @param lengthScales D, > 0
  /// @param amplitude variance of the process, > 0
  /// @param noise variance of an observation, >= 0
  /// @return null when the covariance cannot be factored in double precision
  static @Nullable GaussianProcess of(
      double[][] points, double[] values, double[] lengthScales, double amplitude, double noise) {
    int count = points.length;
    var covariance = new double[count][count];
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < i; j++) {
        covariance[i][j] = amplitude * matern52(points[i], points[j], lengthScales);
        covariance[j][i] = covariance[i][j];
      }
      covariance[i][i] = amplitude + noise + JITTER;
    }
    return factored(covariance) instanceof double[][] factor
        ? new GaussianProcess(points, values, lengthScales, amplitude, factor)
        : null;
  }

  private static double @Nullable [][] factored(double[][] covariance) {
    RealMatrix matrix = new Array2DRowRealMatrix(covariance, false);
    try {
      return new CholeskyDecomposition(matrix).getL().getData();
    } catch (NonPositiveDefiniteMatrixException | NonSymmetricMatrixException notFactorable) {
      return null;
    }
  }

  /// {@return the correlation of two points, in (0, 1]}
  static double matern52(double[] a, double[] b, double[] lengthScales) {
    double square = 0;
    for (int d = 0; d < a.length; d++) {
      double distance = (a[d] - b[d]) / lengthScales[d];
      square += distance * distance;
    }
    double scaled = SQRT5 * Math.sqrt(square);
    return (1 + scaled + 5.0 / 3 * square) * Math.exp(-scaled);
  }

  /// {@return the log marginal likelihood of the observed values}
  double logLikelihood() {
    return logLikelihood;
  }

  /// {@return what was observed}
  double[] values() {
    return values;
  }

  /// The belief about the noiseless value at one point.
  ///
  /// @param deviation >= 0
  record Belief(double mean, double deviation) {}

  Belief at(double[] point) {
    var covariances = new double[points.length];
    double mean = 0;
    for (int i = 0; i < points.length; i++) {
      covariances[i] = amplitude * matern52(point, points[i], lengthScales);
      mean += covariances[i] * weights[i];
    }
    double explained = 0;
    for (double part : solveLower(covariances)) {
      explained += part * part;
    }
    return new Belief(mean, Math.sqrt(Math.max(0, amplitude - explained)));
  }

  private double[] solveLower(double[] right) {
    var solution = new double[right.length];
    for (int i = 0; i < right.length; i++) {
      double left = right[i];
      double[] row = factor[i];
      for (int j = 0; j < i; j++) {
        left -= row[j] * solution[j];
      }
      solution[i] = left / row[i];
    }
    return solution;
  }

  private double[] solveUpper(double[] right) {
    var solution = new double[right.length];
    for (int i = right.length - 1; i >= 0; i--) {
      double left = right[i];
      for (int j = i + 1; j < right.length; j++) {
        left -= factor[j][i] * solution[j];
      }
      solution[i] = left / factor[i][i];
    }
    return solution;
  }
}
