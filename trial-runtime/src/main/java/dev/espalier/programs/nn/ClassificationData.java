package dev.espalier.programs.nn;

import dev.espalier.data.DataFile;
import dev.espalier.data.DataFolder;
import dev.espalier.data.IdxReader;
import java.util.Optional;

/// What a classifier is trained, judged and tested on.
///
/// @param classes number of classes
/// @param samples training samples first, then validation samples
/// @param trainingSamples how many of them are for training, >= 1
/// @param test samples that no decision may depend on, where there are any
record ClassificationData(
    int classes, LabelledVectors samples, int trainingSamples, Optional<LabelledVectors> test) {

  int validationSamples() {
    return samples.count() - trainingSamples;
  }

  int features() {
    return samples.features();
  }

  /// Reads the four files of an IDX data set; those of the test set may be missing.
  ///
  /// Pixels are shifted and scaled to mean 0 and variance 1 over all pixels of the training
  /// samples.
  ///
  /// @param classes labels must lie in [0, classes)
  /// @param validationSamples taken from the end of the training file; 0 stands for one sixth
  static ClassificationData readIdx(DataFolder folder, int classes, int validationSamples) {
    DataFile imagesFile = folder.require("train-images-idx3-ubyte");
    DataFile labelsFile = folder.require("train-labels-idx1-ubyte");
    var images = IdxReader.images(imagesFile);
    byte[] labels = IdxReader.labels(labelsFile, classes);
    requireSameCount(labelsFile, labels.length, images.count());
    int validation = validationCount(labelsFile, labels.length, validationSamples);
    int training = images.count() - validation;
    float[] meanings = meanings(images, training);
    return new ClassificationData(
        classes,
        vectors(images, labels, meanings),
        training,
        readTest(folder, classes, images, meanings));
  }

  private static Optional<LabelledVectors> readTest(
      DataFolder folder, int classes, IdxReader.Images training, float[] meanings) {
    Optional<DataFile> imagesFile = folder.find("t10k-images-idx3-ubyte");
    if (imagesFile.isEmpty()) {
      return Optional.empty();
    }
    DataFile labelsFile = folder.require("t10k-labels-idx1-ubyte");
    var images = IdxReader.images(imagesFile.get());
    if (images.pixelsPerImage() != training.pixelsPerImage()) {
      throw imagesFile
          .get()
          .invalid(
              "expected images of %d x %d pixels as in the training file but they have %d x %d"
                  .formatted(training.rows(), training.columns(), images.rows(), images.columns()));
    }
    byte[] labels = IdxReader.labels(labelsFile, classes);
    requireSameCount(labelsFile, labels.length, images.count());
    return Optional.of(vectors(images, labels, meanings));
  }

  private static LabelledVectors vectors(IdxReader.Images images, byte[] labels, float[] meanings) {
    return new LabelledVectors.Pixels(
        images.count(), images.pixelsPerImage(), images.pixels(), labels, meanings);
  }

  private static void requireSameCount(DataFile labelsFile, int labels, int images) {
    if (labels != images) {
      throw labelsFile.invalid(
          "expected a label for each of " + images + " images but it has " + labels);
    }
  }

  private static int validationCount(DataFile file, int count, int validationSamples) {
    int validation = validationSamples == 0 ? count / 6 : validationSamples;
    if (validation < 1 || validation >= count) {
      throw file.invalid(
          "validation samples must lie in [1, %d] but are %d".formatted(count - 1, validation));
    }
    return validation;
  }

  private static float[] meanings(IdxReader.Images images, int training) {
    long[] histogram = new long[256];
    int end = training * images.pixelsPerImage();
    byte[] pixels = images.pixels();
    for (int i = 0; i < end; i++) {
      histogram[pixels[i] & 0xff]++;
    }
    double sum = 0;
    double sumOfSquares = 0;
    for (int value = 0; value < 256; value++) {
      sum += (double) histogram[value] * value;
      sumOfSquares += (double) histogram[value] * value * value;
    }
    double mean = sum / end;
    double deviation = Math.sqrt(Math.max(sumOfSquares / end - mean * mean, 0));
    float[] meanings = new float[256];
    for (int value = 0; value < 256; value++) {
      meanings[value] = (float) ((value - mean) / (deviation > 0 ? deviation : 1));
    }
    return meanings;
  }
}
