package dev.espalier.data;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.util.List;

/// What a classifier of sparse examples is trained and judged on.
///
/// @param training at least one example
/// @param validation at least one example
public record ExampleData(SparseExamples training, SparseExamples validation) {
  private static final String TEST_ENDING = ".t";

  /// {@return number of features, over both parts}
  public int features() {
    return Math.max(1, Math.max(training.features(), validation.features()));
  }

  /// Reads two LIBSVM files.
  ///
  /// @param train plain name of the training file; blank for the only file x of the folder that has
  ///   a file x.t beside it, which is how LIBSVM names data sets
  /// @param test plain name of the validation file; blank for the training file's with `.t`
  public static ExampleData read(DataFolder folder, String train, String test) {
    String trainName = train.isBlank() ? onlyPair(folder, test) : train.strip();
    String testName = test.isBlank() ? trainName + TEST_ENDING : test.strip();
    return new ExampleData(
        LibsvmReader.read(folder.require(trainName)), LibsvmReader.read(folder.require(testName)));
  }

  private static String onlyPair(DataFolder folder, String test) {
    if (!test.isBlank()) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB, "argument train must be given where test is \"" + test + "\"");
    }
    List<String> names = folder.names();
    List<String> pairs = names.stream().filter(name -> names.contains(name + TEST_ENDING)).toList();
    if (pairs.size() != 1) {
      throw new EspalierException(
          ErrorCode.INVALID_DATA,
          folder.path()
              + ": expected one file x with a file x.t beside it but found "
              + (pairs.isEmpty() ? "none" : String.join(", ", pairs))
              + "; the arguments train and test can name the files");
    }
    return pairs.getFirst();
  }
}
