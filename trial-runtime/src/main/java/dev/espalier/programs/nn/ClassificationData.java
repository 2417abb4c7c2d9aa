package dev.espalier.programs.nn;

import dev.espalier.data.CifarReader;
import dev.espalier.data.DataFile;
import dev.espalier.data.DataFolder;
import dev.espalier.data.IdxReader;
import dev.espalier.nn.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a classifier is trained, judged and tested on.
///
/// @param shape how the features of a sample are laid out
/// @param classes number of classes
/// @param samples training samples first, then validation samples
/// @param trainingSamples how many of them are for training, >= 1
/// @param test samples that no decision may depend on, where there are any
record ClassificationData(
    Shape shape,
    int classes,
    LabelledVectors samples,
    int trainingSamples,
    Optional<LabelledVectors> test) {
  private static final String IDX_IMAGES = "train-images-idx3-ubyte";
  private static final int MAX_CIFAR_BATCHES = 5;
  private static final int VALIDATION_PART = 6;

  int validationSamples() {
    return samples.count() - trainingSamples;
  }

  /// Reads a data set: files of the binary form of CIFAR-10 where the folder has any, else IDX.
  ///
  /// Pixels are shifted and scaled to mean 0 and variance 1 over all pixels of the training
  /// samples, each channel for itself.
  ///
  /// @param classes labels must lie in [0, classes)
  /// @param validationSamples taken from the end of the training samples; 0 stands for one sixth
  static ClassificationData read(DataFolder folder, int classes, int validationSamples) {
    List<DataFile> batches = cifarBatches(folder);
    return batches.isEmpty() || folder.find(IDX_IMAGES).isPresent()
        ? readIdx(folder, classes, validationSamples)
        : readCifar(folder, batches, classes, validationSamples);
  }

  private static List<DataFile> cifarBatches(DataFolder folder) {
    var batches = new ArrayList<DataFile>();
    for (int i = 1; i <= MAX_CIFAR_BATCHES; i++) {
      folder.find("data_batch_" + i + ".bin").ifPresent(batches::add);
    }
    return batches;
  }

  private static ClassificationData readCifar(
      DataFolder folder, List<DataFile> batches, int classes, int validationSamples) {
    var images = CifarReader.images(batches, classes);
    var shape = new Shape(CifarReader.SIDE, CifarReader.SIDE, CifarReader.COLOURS);
    int validation = validationCount(batches.getLast(), images.count(), validationSamples);
    int training = images.count() - validation;
    float[][] meanings = meanings(images.pixels(), training * shape.size(), shape.channels());
    return new ClassificationData(
        shape,
        classes,
        vectors(images, shape, meanings),
        training,
        folder
            .find("test_batch.bin")
            .map(file -> vectors(CifarReader.images(List.of(file), classes), shape, meanings)));
  }

  private static LabelledVectors vectors(
      CifarReader.Images images, Shape shape, float[][] meanings) {
    return new LabelledVectors.Pixels(
        images.count(), shape.size(), images.pixels(), images.labels(), meanings);
  }

  private static ClassificationData readIdx(DataFolder folder, int classes, int validationSamples) {
    DataFile imagesFile = folder.require(IDX_IMAGES);
    DataFile labelsFile = folder.require("train-labels-idx1-ubyte");
    var images = IdxReader.images(imagesFile);
    byte[] labels = IdxReader.labels(labelsFile, classes);
    requireSameCount(labelsFile, labels.length, images.count());
    int validation = validationCount(labelsFile, labels.length, validationSamples);
    int training = images.count() - validation;
    float[][] meanings = meanings(images.pixels(), training * images.pixelsPerImage(), 1);
    return new ClassificationData(
        new Shape(images.rows(), images.columns(), 1),
        classes,
        vectors(images, labels, meanings),
        training,
        readTest(folder, classes, images, meanings));
  }

  private static Optional<LabelledVectors> readTest(
      DataFolder folder, int classes, IdxReader.Images training, float[][] meanings) {
    Optional<DataFile> imagesFile = folder.find("t10k-images-idx3-ubyte");
    if (imagesFile.isEmpty()) {
      return Optional.empty();
    }
    DataFile labelsFile = folder.require("t10k-labels-idx1-ubyte");
    var images = IdxReader.images(imagesFile.get());
    if (images.rows() != training.rows() || images.columns() != training.columns()) {
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

  private static LabelledVectors vectors(
      IdxReader.Images images, byte[] labels, float[][] meanings) {
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
    int validation = validationSamples == 0 ? count / VALIDATION_PART : validationSamples;
    if (validation == 0) {
      throw file.invalid(
          "expected at least %d samples, a sixth of which judge the model, but it has %d"
              .formatted(VALIDATION_PART, count));
    }
    if (validation >= count) {
      throw file.invalid(
          "validationSamples must lie in [0, %d], fewer than there are samples, but is %d"
              .formatted(count - 1, validation));
    }
    return validation;
  }

  private static float[][] meanings(byte[] pixels, int end, int channels) {
    float[][] meanings = new float[channels][];
    for (int channel = 0; channel < channels; channel++) {
      long[] histogram = new long[256];
      for (int i = channel; i < end; i += channels) {
        histogram[pixels[i] & 0xff]++;
      }
      meanings[channel] = standardised(histogram, end / channels);
    }
    return meanings;
  }

  private static float[] standardised(long[] histogram, int count) {
    double sum = 0;
    double sumOfSquares = 0;
    for (int value = 0; value < 256; value++) {
      sum += (double) histogram[value] * value;
      sumOfSquares += (double) histogram[value] * value * value;
    }
    double mean = sum / count;
    double deviation = Math.sqrt(Math.max(sumOfSquares / count - mean * mean, 0));
    float[] meanings = new float[256];
    for (int value = 0; value < 256; value++) {
      meanings[value] = (float) ((value - mean) / (deviation > 0 ? deviation : 1));
    }
    return meanings;
  }
}
