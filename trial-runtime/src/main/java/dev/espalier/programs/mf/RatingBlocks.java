package dev.espalier.programs.mf;

import dev.espalier.data.Ratings;
import java.util.Arrays;
import java.util.SplittableRandom;

/* A pass over ratings in any order misses the cache once a rating, as soon as the factors do not fit.
 * So users and items are cut into parts, popular ones together, such that a part's ratings are
 * about as many as those of any other part; ratings of one part of users and one part of items make a
 * block, whose rows stay in the cache while it lasts. Inside a block ratings lie in random order: a
 * step may begin before the one before it has ended when they share no row.
 *
 * The grid is that of Chin, Zhuang, Juan, Lin 2015 (LIBMF), who cut it for threads. That popular rows
 * are together keeps the rows of many ratings in the innermost cache.
 */
/// The order in which sample-wise factorisation visits ratings.
public final class RatingBlocks {
  /// Rows of a block that stay in the cache of a core.
  private static final int BLOCK_BYTES = 128 << 10;

  private static final int MAX_PARTS = 64;

  /// Fewer ratings a block are not worth a change of rows.
  private static final int MIN_RATINGS = 1024;

  private static final long SEED = 0x5EED_B10C5L;

  private RatingBlocks() {}

  /// {@return the ratings, block by block}
  ///
  /// @param rowBytes of a user's or item's row
  public static Ratings arrange(Ratings ratings, int rowBytes) {
    int parts = parts(ratings, rowBytes);
    int[] userParts = parts(ratings.users(), ratings.userCount(), parts);
    int[] itemParts = parts(ratings.items(), ratings.itemCount(), parts);
    // Sorting by block and a random number beneath it: the number makes the order in a block.
    var random = new SplittableRandom(SEED);
    long[] keys = new long[ratings.count()];
    int[] places = new int[ratings.count()];
    for (int i = 0; i < keys.length; i++) {
      places[i] = i;
    }
    for (int i = keys.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swapped = places[i];
      places[i] = places[j];
      places[j] = swapped;
    }
    for (int i = 0; i < keys.length; i++) {
      long block =
          (long) userParts[ratings.users()[places[i]]] * parts
              + itemParts[ratings.items()[places[i]]];
      keys[i] = block << Integer.SIZE | i;
    }
    Arrays.sort(keys);
    int[] order = new int[keys.length];
    Arrays.setAll(order, i -> places[(int) keys[i]]);
    return ratings.select(order);
  }

  private static int parts(Ratings ratings, int rowBytes) {
    long bytes = (long) (ratings.userCount() + ratings.itemCount()) * rowBytes;
    long forCache = Math.ceilDiv(bytes, BLOCK_BYTES);
    long forRatings = (long) Math.sqrt((double) ratings.count() / MIN_RATINGS);
    return Math.clamp(Math.min(forCache, forRatings), 1, MAX_PARTS);
  }

  /// The part of each row: rows by their number of ratings, the most popular first, cut where each
  /// part has had its share of ratings.
  private static int[] parts(int[] rows, int rowCount, int parts) {
    long[] ratingsAndRows = new long[rowCount];
    Arrays.setAll(ratingsAndRows, row -> row);
    for (int row : rows) {
      ratingsAndRows[row] -= 1L << Integer.SIZE;
    }
    Arrays.sort(ratingsAndRows);
    int[] partOf = new int[rowCount];
    long seen = 0;
    for (long entry : ratingsAndRows) {
      int row = (int) entry;
      partOf[row] = (int) Math.min(parts - 1, seen * parts / rows.length);
      seen += (row - entry) >> Integer.SIZE;
    }
    return partOf;
  }
}
