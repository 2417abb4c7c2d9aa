package dev.espalier.programs.mf;

import dev.espalier.data.DataFile;
import dev.espalier.data.DataFolder;
import dev.espalier.data.Ratings;
import dev.espalier.data.RatingsReader;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/// What a recommender is trained and judged on.
///
/// @param users number of users, over both parts
/// @param items number of items, over both parts
/// @param mean mean training rating
/// @param min smallest training rating
/// @param max largest training rating
record RatingData(
    Ratings training,
    Ratings validation,
    int users,
    int items,
    double mean,
    double min,
    double max) {
  static final String AUTOMATIC = "auto";
  static final String RANDOM = "random";

  /// The official splits of MovieLens 100K.
  static final List<String> OFFICIAL = List.of("u1", "u2", "u3", "u4", "u5", "ua", "ub");

  private static final String DEFAULT_SPLIT = "u1";
  private static final List<String> WHOLE_FILES = List.of("ratings.csv", "ratings.dat", "u.data");
  private static final int VALIDATION_PERCENT = 10;

  /* Fixed, so that jobs of any seed are judged on the same ratings. */
  private static final long SPLIT_SEED = 0x5EED_5B117L;

  static RatingData of(Ratings training, Ratings validation) {
    double sum = 0;
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (float value : training.values()) {
      sum += value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    return new RatingData(
        training,
        validation,
        Math.max(training.userCount(), validation.userCount()),
        Math.max(training.itemCount(), validation.itemCount()),
        sum / training.count(),
        min,
        max);
  }

  /// {@return the same data with the training ratings in another order}
  ///
  /// @param ordered the same ratings
  RatingData withTraining(Ratings ordered) {
    return new RatingData(ordered, validation, users, items, mean, min, max);
  }

  /// Reads ratings and splits them.
  ///
  /// @param split a name from `OFFICIAL` reads `<split>.base` and `<split>.test`; `random` holds
  ///   back a tenth of `ratings.csv`, `ratings.dat` or `u.data`, whichever is found first; `auto`
  ///   is `u1` where the folder has it and `random` otherwise
  static RatingData read(DataFolder folder, String split) {
    boolean official =
        split.equals(AUTOMATIC)
            ? folder.find(DEFAULT_SPLIT + ".base").isPresent()
            : !split.equals(RANDOM);
    if (official) {
      String name = split.equals(AUTOMATIC) ? DEFAULT_SPLIT : split;
      return of(
          RatingsReader.read(folder.require(name + ".base")),
          RatingsReader.read(folder.require(name + ".test")));
    }
    DataFile file =
        WHOLE_FILES.stream()
            .map(folder::find)
            .flatMap(Optional::stream)
            .findFirst()
            .orElseGet(() -> folder.require(WHOLE_FILES.getLast()));
    Ratings all = RatingsReader.read(file);
    if (all.count() < 10) {
      throw file.invalid("expected at least 10 ratings to split but it has " + all.count());
    }
    return splitAtRandom(all);
  }

  static RatingData splitAtRandom(Ratings all) {
    int[] order = new int[all.count()];
    var random = new SplittableRandom(SPLIT_SEED);
    for (int i = 0; i < order.length; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    int validation = (int) ((long) order.length * VALIDATION_PERCENT / 100);
    int[] first = Arrays.copyOfRange(order, 0, validation);
    int[] rest = Arrays.copyOfRange(order, validation, order.length);
    return of(all.select(rest), all.select(first));
  }
}
