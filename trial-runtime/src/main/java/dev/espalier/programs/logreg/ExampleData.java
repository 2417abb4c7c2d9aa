package dev.espalier.programs.logreg;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.data.DataFolder;
import dev.espalier.data.LibsvmReader;
import dev.espalier.data.SparseExamples;
import java.util.List;

/// What a binary classifier is trained and judged on.
record ExampleData(SparseExamples training, SparseExamples validation) {
  private static final String TEST_ENDING = ".t";

  /// {@return number of features, over both parts}
  int features() {
    return Math.max(1, Math.max(training.features(), validation.features()));
  }

  /// Reads two LIBSVM files.
  ///
  /// @param train plain name of the training file; blank for the only file x of the folder that has
  ///   a file x.t beside it, which is how LIBSVM names data sets
  /// @param test plain name of the validation file; blank for the training file's with `.t`
  static ExampleData read(DataFolder folder, String train, String test) {
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
