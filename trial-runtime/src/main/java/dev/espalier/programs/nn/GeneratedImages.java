package dev.espalier.programs.nn;

import dev.espalier.nn.Shape;
import java.util.Optional;
import java.util.SplittableRandom;

/* A problem that a window has an advantage in: each class is a small pattern that may lie anywhere.
 *
 * An image is its class's pattern of PATCH x PATCH at a random place and with a random strength,
 * a fainter pattern of another class at another place, and noise. A few labels are replaced by
 * random ones, so accuracy stays below 1 - LABEL_NOISE 9/10.
 *
 * The stream is fixed and does not depend on the job's seed: all jobs have the same data.
 */
final class GeneratedImages {
  static final int CLASSES = 10;
  static final Shape SHAPE = new Shape(16, 16, 1);
  static final int TRAINING_SAMPLES = 8_000;
  static final int VALIDATION_SAMPLES = 2_000;
  static final int TEST_SAMPLES = 2_000;

  private static final long SEED = 0x5EED_0F_1A6E5L;
  private static final int PATCH = 6;
  private static final double FAINTEST = 0.7;
  private static final double DISTRACTION = 0.3;
  private static final double NOISE = 0.4;
  private static final double LABEL_NOISE = 0.03;

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final double[][] patterns = new double[CLASSES][PATCH * PATCH];

  private GeneratedImages() {
    for (double[] pattern : patterns) {
      for (int i = 0; i < pattern.length; i++) {
        pattern[i] = random.nextGaussian();
      }
    }
  }

  static ClassificationData generate() {
    var generator = new GeneratedImages();
    LabelledVectors samples = generator.samples(TRAINING_SAMPLES + VALIDATION_SAMPLES);
    return new ClassificationData(
        SHAPE, CLASSES, samples, TRAINING_SAMPLES, Optional.of(generator.samples(TEST_SAMPLES)));
  }

  private LabelledVectors samples(int count) {
    float[] values = new float[count * SHAPE.size()];
    byte[] labels = new byte[count];
    for (int sample = 0; sample < count; sample++) {
      int label = random.nextInt(CLASSES);
      int other = (label + 1 + random.nextInt(CLASSES - 1)) % CLASSES;
      int from = sample * SHAPE.size();
      for (int i = 0; i < SHAPE.size(); i++) {
        values[from + i] = (float) (NOISE * random.nextGaussian());
      }
      draw(patterns[other], DISTRACTION, values, from);
      draw(patterns[label], FAINTEST + (1 - FAINTEST) * random.nextDouble(), values, from);
      labels[sample] = (byte) (random.nextDouble() < LABEL_NOISE ? random.nextInt(CLASSES) : label);
    }
    return new LabelledVectors.Floats(count, SHAPE.size(), values, labels);
  }

  private void draw(double[] pattern, double strength, float[] values, int from) {
    int top = random.nextInt(SHAPE.height() - PATCH + 1);
    int left = random.nextInt(SHAPE.width() - PATCH + 1);
    for (int i = 0; i < pattern.length; i++) {
      int at = from + (top + i / PATCH) * SHAPE.width() + left + i % PATCH;
      values[at] += (float) (strength * pattern[i]);
    }
  }
}
