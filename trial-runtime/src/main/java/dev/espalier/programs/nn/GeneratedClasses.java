package dev.espalier.programs.nn;

import dev.espalier.nn.Shape;
import java.util.Optional;
import java.util.SplittableRandom;

/* A classification problem on which the setting matters.
 *
 * Each class is a mixture of Gaussian clusters in a latent space, z = centre + SPREAD noise. A
 * fixed random network bends the space, x = M2 tanh(M1 z) with noise on top, so that no linear
 * classifier can separate the classes. The features are then badly scaled: feature i is multiplied
 * by a factor that falls geometrically from first to last over SCALE_RANGE. Steps that suit the
 * large features crawl along the small ones, and steps that suit the small ones diverge, which is
 * what makes the learning rate and the momentum worth tuning. A few labels are replaced by random
 * ones, so accuracy stays below 1 - LABEL_NOISE 19/20.
 *
 * The stream is fixed and does not depend on the job's seed: all jobs have the same data.
 */
final class GeneratedClasses {
  static final int CLASSES = 20;
  static final int FEATURES = 64;
  static final int TRAINING_SAMPLES = 20_000;
  static final int VALIDATION_SAMPLES = 4_000;
  static final int TEST_SAMPLES = 4_000;

  private static final long SEED = 0x5EED_0F_C1A55E5L;
  private static final int CLUSTERS_PER_CLASS = 10;
  private static final int LATENT = 12;
  private static final int BENT = 48;
  private static final double SPREAD = 0.33;
  private static final double OBSERVATION_NOISE = 0.05;
  private static final double LARGEST_SCALE = 6;
  private static final double SCALE_RANGE = 100;
  private static final double LABEL_NOISE = 0.03;

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final double[] centres = normals(CLASSES * CLUSTERS_PER_CLASS * LATENT, 1);
  private final double[] bend = normals(LATENT * BENT, 1.5 / Math.sqrt(LATENT));
  private final double[] spread = normals(BENT * FEATURES, 1 / Math.sqrt(BENT));

  private GeneratedClasses() {}

  static ClassificationData generate() {
    var generator = new GeneratedClasses();
    LabelledVectors samples = generator.samples(TRAINING_SAMPLES + VALIDATION_SAMPLES);
    return new ClassificationData(
        Shape.vector(FEATURES),
        CLASSES,
        samples,
        TRAINING_SAMPLES,
        Optional.of(generator.samples(TEST_SAMPLES)));
  }

  private LabelledVectors samples(int count) {
    float[] values = new float[count * FEATURES];
    byte[] labels = new byte[count];
    double[] latent = new double[LATENT];
    double[] bent = new double[BENT];
    for (int sample = 0; sample < count; sample++) {
      int label = random.nextInt(CLASSES);
      int cluster = label * CLUSTERS_PER_CLASS + random.nextInt(CLUSTERS_PER_CLASS);
      for (int i = 0; i < LATENT; i++) {
        latent[i] = centres[cluster * LATENT + i] + SPREAD * random.nextGaussian();
      }
      multiply(latent, bend, bent);
      for (int i = 0; i < BENT; i++) {
        bent[i] = Math.tanh(bent[i]);
      }
      observe(bent, values, sample * FEATURES);
      labels[sample] = (byte) (random.nextDouble() < LABEL_NOISE ? random.nextInt(CLASSES) : label);
    }
    return new LabelledVectors.Floats(count, FEATURES, values, labels);
  }

  private void observe(double[] bent, float[] values, int offset) {
    double[] observed = new double[FEATURES];
    multiply(bent, spread, observed);
    for (int i = 0; i < FEATURES; i++) {
      double noisy = observed[i] + OBSERVATION_NOISE * random.nextGaussian();
      double scale = LARGEST_SCALE * Math.pow(SCALE_RANGE, -(double) i / (FEATURES - 1));
      values[offset + i] = (float) (scale * noisy);
    }
  }

  /// Computes `y = x m`.
  private static void multiply(double[] x, double[] m, double[] y) {
    for (int j = 0; j < y.length; j++) {
      double sum = 0;
      for (int i = 0; i < x.length; i++) {
        sum += x[i] * m[i * y.length + j];
      }
      y[j] = sum;
    }
  }

  private double[] normals(int count, double deviation) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = deviation * random.nextGaussian();
    }
    return values;
  }
}
