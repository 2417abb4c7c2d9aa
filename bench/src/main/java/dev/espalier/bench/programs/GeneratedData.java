package dev.espalier.bench.programs;

import dev.espalier.bench.programs.Draws.Weighted;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// Data sets of the size and skew of well-known ones, as files that programs and peers read.
final class GeneratedData {
  private static final int FACTORS = 8;

  private GeneratedData() {}

  /// Ratings in the size of MovieLens 1M: 6,040 users, 3,706 items, 1,000,209 ratings of 1 to 5, of
  /// which a tenth is the test; users and items by Zipf's law, a truth of rank 8 and noise of 0.8,
  /// so that no model predicts better than with an error of about 0.84.
  ///
  /// Writes `u1.base` and `u1.test` as in MovieLens.
  static void writeRatings(Path folder) throws IOException {
    int users = 6040;
    int items = 3706;
    int count = 1_000_209;
    var draws = new Draws(42);
    var byUser = new Weighted(Draws.zipf(users, 0.6, 30));
    var byItem = new Weighted(Draws.zipf(items, 0.9, 20));
    int[] userOf = draws.permutation(users);
    int[] itemOf = draws.permutation(items);
    float[] p = draws.normals(users * FACTORS, 0.35);
    float[] q = draws.normals(items * FACTORS, 0.35);
    float[] userBias = draws.normals(users, 0.35);
    float[] itemBias = draws.normals(items, 0.45);
    long[] pairs = distinctPairs(draws, count, byUser, userOf, byItem, itemOf);
    try (BufferedWriter base = Files.newBufferedWriter(folder.resolve("u1.base"));
        BufferedWriter test = Files.newBufferedWriter(folder.resolve("u1.test"))) {
      for (int i = 0; i < pairs.length; i++) {
        int user = (int) (pairs[i] >> 32);
        int item = (int) pairs[i];
        double value = 3.6 + userBias[user] + itemBias[item] + 0.8 * draws.normal();
        for (int k = 0; k < FACTORS; k++) {
          value += p[user * FACTORS + k] * q[item * FACTORS + k];
        }
        long rating = Math.clamp(Math.round(value), 1, 5);
        (i % 10 == 0 ? test : base).write((user + 1) + "\t" + (item + 1) + "\t" + rating + "\n");
      }
    }
  }

  private static long[] distinctPairs(
      Draws draws, int count, Weighted byUser, int[] userOf, Weighted byItem, int[] itemOf) {
    long[] pairs = new long[0];
    while (pairs.length < count) {
      int known = pairs.length;
      int more = (int) Math.ceil((count - known) * 1.15 + 16);
      pairs = Arrays.copyOf(pairs, known + more);
      for (int i = known; i < pairs.length; i++) {
        pairs[i] = (long) userOf[byUser.draw(draws)] << 32 | itemOf[byItem.draw(draws)];
      }
      pairs = Arrays.stream(pairs).sorted().distinct().toArray();
    }
    for (int i = 0; i < count; i++) {
      swap(pairs, i, i + draws.below(pairs.length - i));
    }
    pairs = Arrays.copyOf(pairs, count);
    for (int i = count - 1; i > 0; i--) {
      swap(pairs, i, draws.below(i + 1));
    }
    return pairs;
  }

  private static void swap(long[] values, int i, int j) {
    long swapped = values[i];
    values[i] = values[j];
    values[j] = swapped;
  }

  /// Examples of the shape of RCV1: 47,236 features by Zipf's law, about 73 a row, weighted by
  /// rarity, rows of length 1; labels by a sparse linear model with little noise.
  ///
  /// Writes `rcv` and, of as many examples as a tenth, `rcv.t`, in the LIBSVM format.
  ///
  /// @return non-zero values of `rcv`
  static long writeExamples(Path folder, int rows) throws IOException {
    int features = 47_236;
    double meanLength = 73.2;
    var draws = new Draws(44);
    double[] weights = Draws.zipf(features, 1, 50);
    var byFeature = new Weighted(weights);
    int[] featureOf = draws.permutation(features);
    double sum = Arrays.stream(weights).sum();
    float[] rarity = new float[features];
    float[] truth = new float[features];
    for (int i = 0; i < features; i++) {
      rarity[i] = (float) Math.log(1 + 1 / (meanLength * weights[i] / sum + 1e-9));
      truth[i] = draws.uniform() < 0.2 ? (float) (draws.normal() * 3) : 0;
    }
    try (BufferedWriter train = Files.newBufferedWriter(folder.resolve("rcv"));
        BufferedWriter test = Files.newBufferedWriter(folder.resolve("rcv.t"))) {
      long entries = 0;
      for (int row = 0; row < rows + rows / 10; row++) {
        int drawn = Math.max(4, (int) (meanLength * Math.exp(0.5 * draws.normal() - 0.125) * 1.03));
        int[] occurrences = new int[drawn];
        float[] values = new float[features < drawn ? features : drawn];
        for (int i = 0; i < drawn; i++) {
          occurrences[i] = byFeature.draw(draws);
        }
        // By number of the feature in the file; its number by frequency comes along.
        long[] sorted = new long[drawn];
        Arrays.setAll(sorted, i -> (long) featureOf[occurrences[i]] << 32 | occurrences[i]);
        Arrays.sort(sorted);
        int distinct = 0;
        double squares = 0;
        for (int i = 0; i < drawn; ) {
          int end = i;
          while (end < drawn && sorted[end] == sorted[i]) {
            end++;
          }
          sorted[distinct] = sorted[i];
          values[distinct] = rarity[(int) sorted[i]] * (float) Math.log(1 + end - i);
          squares += values[distinct] * values[distinct];
          distinct++;
          i = end;
        }
        var line = new StringBuilder();
        double z = 0.1 * draws.normal();
        for (int i = 0; i < distinct; i++) {
          double value = values[i] / Math.sqrt(squares);
          int feature = (int) (sorted[i] >> 32);
          z += value * truth[feature];
          line.append(' ').append(feature + 1).append(':');
          appendDigits(line, value);
        }
        (row < rows ? train : test).write((z > 0 ? "1" : "-1") + line + "\n");
        entries += row < rows ? distinct : 0;
      }
      return entries;
    }
  }

  /// Five digits of a value in [0, 1]: a formatter would take most of the time.
  private static void appendDigits(StringBuilder line, double value) {
    int digits = (int) Math.round(value * 100_000);
    line.append(digits / 100_000).append('.');
    String rest = Integer.toString(100_000 + digits % 100_000);
    line.append(rest, 1, rest.length());
  }
}
