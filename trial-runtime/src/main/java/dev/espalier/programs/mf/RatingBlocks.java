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
 * For T threads users and items are cut into T shares first, each of which lies together in memory.
 * A cell is what one share of users has to do with one of items. Thread a takes the ratings of its own
 * users, in turn t with the items of share (a + t) mod T: so no two threads ever have a row in common, and
 * the rows of users never leave their core [2]. Every run of samples has its part of every cell, turn by
 * turn, so that all threads are busy even in a clock that is a part of a run:
 *
 *   run 0                                          run 1
 *   | cell (0,0) | (1,1) | (0,1) | (1,0) |         | (0,0) | (1,1) | ...
 *
 * [1] Chin, Zhuang, Juan, Lin 2015 (LIBMF): the grid, which popular rows share a block.
 * [2] Gemulla, Nijkamp, Haas, Sismanis 2011: cells without a row in common.
 */
/// The order in which sample-wise factorisation visits ratings, and which thread takes which.
public final class RatingBlocks {
  /// Rows of a block that stay in the cache of a core.
  private static final int BLOCK_BYTES = 128 << 10;

  private static final int MAX_PARTS = 64;

  /// Fewer ratings a block are not worth a change of rows.
  private static final int MIN_RATINGS = 1024;

  /// Ratings of a cell that are visited together, at most; runs come in random order.
  private static final int MAX_PIECE = 1024;

  /// An epoch without so many runs is not shuffled enough.
  private static final int MIN_RUNS = 16;

  private static final long SEED = 0x5EED_B10C5L;

  private final Ratings ratings;
  private final int threads;
  private final int samplesPerRun;

  /// Where the piece of each run and cell begins, run by run, and in the end the number of ratings.
  private final int[] pieces;

  private RatingBlocks(Ratings ratings, int threads, int samplesPerRun, int[] pieces) {
    this.ratings = ratings;
    this.threads = threads;
    this.samplesPerRun = samplesPerRun;
    this.pieces = pieces;
  }

  /// Puts ratings into order.
  ///
  /// @param rowBytes of a user's or item's row
  /// @param threads that will take ratings at once, >= 1
  public static RatingBlocks arrange(Ratings ratings, int rowBytes, int threads) {
    int parts = Math.ceilDiv(parts(ratings, rowBytes), threads);
    var users = new Side(ratings.users(), ratings.userCount(), threads, parts);
    var items = new Side(ratings.items(), ratings.itemCount(), threads, parts);
    int[] order = byBlock(ratings, users, items);
    int cells = threads * threads;
    int piece = Math.clamp(ratings.count() / (MIN_RUNS * (long) cells), 1, MAX_PIECE);
    int runs = Math.ceilDiv(ratings.count(), cells * piece);
    int samplesPerRun = Math.ceilDiv(ratings.count(), runs);
    int[] cellOf = new int[order.length];
    int[] sizes = new int[cells];
    for (int i = 0; i < order.length; i++) {
      int sample = order[i];
      int thread = users.shareOf(ratings.users()[sample]);
      int turn = Math.floorMod(items.shareOf(ratings.items()[sample]) - thread, threads);
      cellOf[i] = turn * threads + thread;
      sizes[cellOf[i]]++;
    }
    // Counting sort by run and cell: the k-th of n ratings of a cell belongs to run k * runs / n.
    int[] pieces = new int[runs * cells + 1];
    int[] pieceOf = new int[order.length];
    int[] seen = new int[cells];
    for (int i = 0; i < order.length; i++) {
      int cell = cellOf[i];
      int run = (int) ((long) seen[cell]++ * runs / sizes[cell]);
      pieceOf[i] = run * cells + cell;
      pieces[pieceOf[i] + 1]++;
    }
    Arrays.parallelPrefix(pieces, Integer::sum);
    int[] next = pieces.clone();
    int[] placed = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      placed[next[pieceOf[i]]++] = order[i];
    }
    return new RatingBlocks(ratings.select(placed), threads, samplesPerRun, pieces);
  }

  /// Ratings by block, those of a block in random order.
  private static int[] byBlock(Ratings ratings, Side users, Side items) {
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
          (long) users.partOf[ratings.users()[places[i]]] * items.parts
              + items.partOf[ratings.items()[places[i]]];
      keys[i] = block << Integer.SIZE | i;
    }
    Arrays.sort(keys);
    int[] order = new int[keys.length];
    Arrays.setAll(order, i -> places[(int) keys[i]]);
    return order;
  }

  private static int parts(Ratings ratings, int rowBytes) {
    long bytes = (long) (ratings.userCount() + ratings.itemCount()) * rowBytes;
    long forCache = Math.ceilDiv(bytes, BLOCK_BYTES);
    long forRatings = (long) Math.sqrt((double) ratings.count() / MIN_RATINGS);
    return Math.clamp(Math.min(forCache, forRatings), 1, MAX_PARTS);
  }

  /// Users or items, cut into shares of neighbouring numbers, and each share into parts by
  /// popularity; shares have about equally many ratings, and so have the parts of a share.
  private static final class Side {
    private final int parts;
    private final int partsPerShare;
    private final int[] partOf;

    /// @param rows of the ratings
    Side(int[] rows, int rowCount, int shares, int partsPerShare) {
      this.partsPerShare = partsPerShare;
      parts = shares * partsPerShare;
      partOf = new int[rowCount];
      int[] counts = new int[rowCount];
      for (int row : rows) {
        counts[row]++;
      }
      long seen = 0;
      int begin = 0;
      for (int share = 0; share < shares; share++) {
        int end = begin;
        long inShare = 0;
        while (end < rowCount && (seen + inShare) * shares < (share + 1L) * rows.length) {
          inShare += counts[end++];
        }
        cut(share, begin, share == shares - 1 ? rowCount : end, counts, inShare);
        begin = end;
        seen += inShare;
      }
    }

    /// The most popular first, cut where each part has had its share of ratings.
    private void cut(int share, int begin, int end, int[] counts, long ratings) {
      long[] byCount = new long[end - begin];
      Arrays.setAll(byCount, i -> -((long) counts[begin + i] << Integer.SIZE) + begin + i);
      Arrays.sort(byCount);
      long seen = 0;
      for (long entry : byCount) {
        int row = (int) entry;
        long part = seen * partsPerShare / Math.max(1, ratings);
        partOf[row] = share * partsPerShare + (int) Math.min(partsPerShare - 1, part);
        seen += counts[row];
      }
    }

    int shareOf(int row) {
      return partOf[row] / partsPerShare;
    }
  }

  /// {@return the ratings, in order}
  public Ratings ratings() {
    return ratings;
  }

  /// {@return how many ratings are to be visited together, of every cell some}
  public int samplesPerRun() {
    return samplesPerRun;
  }

  /// What is done with ratings that follow each other in a clock.
  public interface Stretch {
    /// {@return the sum of the losses of the samples in [from, to) of the clock}
    double take(int from, int to);
  }

  /// Cuts a clock's samples into what each thread takes in each turn.
  ///
  /// @param samples of the clock, indices of `ratings`
  public Turns cut(int[] samples) {
    int cells = threads * threads;
    var turns = new Turns(threads);
    int from = 0;
    while (from < samples.length) {
      int piece = threads == 1 ? 0 : pieceOf(samples[from]);
      int to = threads == 1 ? samples.length : endOf(piece, samples, from);
      turns.add(piece % cells, from, to);
      from = to;
    }
    return turns;
  }

  private int endOf(int piece, int[] samples, int from) {
    int begin = pieces[piece];
    int size = pieces[piece + 1] - begin;
    int to = from + 1;
    while (to < samples.length && Integer.compareUnsigned(samples[to] - begin, size) < 0) {
      to++;
    }
    return to;
  }

  private int pieceOf(int sample) {
    int found = Arrays.binarySearch(pieces, sample);
    if (found < 0) {
      return -found - 2;
    }
    // Empty pieces begin where the next one does.
    while (pieces[found + 1] == sample) {
      found++;
    }
    return found;
  }

  /// The samples of a clock by turn and thread. Threads that take the same turn have no row in
  /// common.
  public static final class Turns {
    private final int threads;
    private final Stretches[] ofCell;

    private Turns(int threads) {
      this.threads = threads;
      ofCell = new Stretches[threads * threads];
      Arrays.setAll(ofCell, _ -> new Stretches());
    }

    private void add(int cell, int from, int to) {
      ofCell[cell].add(from, to);
    }

    /// Takes what is a thread's in one turn; any threads at once.
    ///
    /// @param thread in [0, threads)
    /// @param turn in [0, threads)
    /// @return the sum of what the stretches gave
    public double take(int thread, int turn, Stretch stretch) {
      return ofCell[turn * threads + thread].take(stretch);
    }
  }

  /// Ranges of a clock's samples, in order.
  private static final class Stretches {
    private int[] bounds = new int[16];
    private int count;

    void add(int from, int to) {
      if (count == bounds.length) {
        bounds = Arrays.copyOf(bounds, 2 * count);
      }
      bounds[count++] = from;
      bounds[count++] = to;
    }

    double take(Stretch stretch) {
      double sum = 0;
      for (int i = 0; i < count; i += 2) {
        sum += stretch.take(bounds[i], bounds[i + 1]);
      }
      return sum;
    }
  }
}
