package dev.espalier.bench.ps;

import dev.espalier.ps.table.TableSpec;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// One clock of a program that reads and updates its parameters row by row, as its formula says,
/// and leaves it to the parameter server to be clever: the programs of the IterStore paper.
///
/// Learning steps are so small that parameters stay what they are; what is measured is access.
interface RowSweep {
  /// Where rows come from and go to.
  interface Rows {
    void read(int table, long row, float[] values);

    void add(int table, long row, float[] values);
  }

  String name();

  /// The program and its numbers, from which [#of] makes it anew in another process.
  String words();

  /// {@return the program of these words}
  static RowSweep of(String words) {
    String[] parts = words.split(" ");
    int[] numbers = Arrays.stream(parts).skip(1).mapToInt(Integer::parseInt).toArray();
    return switch (parts[0]) {
      case "pagerank" -> pageRank(numbers[0], numbers[1]);
      case "mf" -> factorization(numbers[0], numbers[1], numbers[2], numbers[3]);
      case "lda" -> topics(numbers[0], numbers[1], numbers[2]);
      default -> throw new IllegalArgumentException("there is no program " + parts[0]);
    };
  }

  List<TableSpec> tables();

  /// Reads and updates of one clock of a worker.
  long accesses(int worker, int workers);

  void run(Rows rows, int worker, int workers);

  /// Power-law choice: small numbers often, like popular pages, items and words.
  static int skewed(SplittableRandom random, int bound) {
    double u = random.nextDouble();
    return (int) (bound * u * u * u);
  }

  /// PageRank: for each edge one read of its source and one update of its target.
  static RowSweep pageRank(int nodes, int edges) {
    var random = new SplittableRandom(1);
    int[] from = new int[edges];
    int[] to = new int[edges];
    for (int edge = 0; edge < edges; edge++) {
      from[edge] = random.nextInt(nodes);
      to[edge] = skewed(random, nodes);
    }
    return new RowSweep() {
      @Override
      public String name() {
        return "pagerank";
      }

      @Override
      public String words() {
        return "pagerank %d %d".formatted(nodes, edges);
      }

      @Override
      public List<TableSpec> tables() {
        return List.of(TableSpec.sparse("ranks", nodes, 1, "sgd"));
      }

      @Override
      public long accesses(int worker, int workers) {
        return 2L * (edges / workers);
      }

      @Override
      public void run(Rows rows, int worker, int workers) {
        float[] rank = new float[1];
        int part = edges / workers;
        for (int edge = worker * part; edge < (worker + 1) * part; edge++) {
          rows.read(0, from[edge], rank);
          rank[0] *= 0.85f;
          rows.add(0, to[edge], rank);
        }
      }
    };
  }

  /// Matrix factorization: for each rating one read and one update of a user and of an item.
  static RowSweep factorization(int users, int items, int ratings, int rank) {
    var random = new SplittableRandom(2);
    int[] user = new int[ratings];
    int[] item = new int[ratings];
    for (int i = 0; i < ratings; i++) {
      user[i] = (int) ((long) i * users / ratings);
      item[i] = skewed(random, items);
    }
    return new RowSweep() {
      @Override
      public String name() {
        return "mf, rank " + rank;
      }

      @Override
      public String words() {
        return "mf %d %d %d %d".formatted(users, items, ratings, rank);
      }

      @Override
      public List<TableSpec> tables() {
        return List.of(
            TableSpec.sparse("users", users, rank, "sgd"),
            TableSpec.sparse("items", items, rank, "sgd"));
      }

      @Override
      public long accesses(int worker, int workers) {
        return 4L * (ratings / workers);
      }

      @Override
      public void run(Rows rows, int worker, int workers) {
        float[] p = new float[rank];
        float[] q = new float[rank];
        float[] pChange = new float[rank];
        float[] qChange = new float[rank];
        int part = ratings / workers;
        for (int i = worker * part; i < (worker + 1) * part; i++) {
          rows.read(0, user[i], p);
          rows.read(1, item[i], q);
          float error = -3;
          for (int k = 0; k < rank; k++) {
            error += p[k] * q[k];
          }
          for (int k = 0; k < rank; k++) {
            pChange[k] = error * q[k];
            qChange[k] = error * p[k];
          }
          rows.add(0, user[i], pChange);
          rows.add(1, item[i], qChange);
        }
      }
    };
  }

  /// Topic models: for each token one read of its word's counts and the totals, and one update.
  static RowSweep topics(int words, int tokens, int topics) {
    var random = new SplittableRandom(3);
    int[] word = new int[tokens];
    for (int token = 0; token < tokens; token++) {
      word[token] = skewed(random, words);
    }
    return new RowSweep() {
      @Override
      public String name() {
        return "lda, " + topics + " topics";
      }

      @Override
      public String words() {
        return "lda %d %d %d".formatted(words, tokens, topics);
      }

      @Override
      public List<TableSpec> tables() {
        return List.of(
            TableSpec.sparse("topics", words, topics, "add"),
            TableSpec.dense("totals", 1, topics, "add"));
      }

      @Override
      public long accesses(int worker, int workers) {
        return 4L * (tokens / workers);
      }

      @Override
      public void run(Rows rows, int worker, int workers) {
        float[] counts = new float[topics];
        float[] totals = new float[topics];
        float[] change = new float[topics];
        var draws = new SplittableRandom(worker);
        int part = tokens / workers;
        for (int token = worker * part; token < (worker + 1) * part; token++) {
          rows.read(0, word[token], counts);
          rows.read(1, 0, totals);
          double sum = 0;
          for (int topic = 0; topic < topics; topic++) {
            sum += (Math.abs(counts[topic]) + 0.01) / (Math.abs(totals[topic]) + 50);
          }
          int topic = (int) (draws.nextDouble() * Math.min(sum, 1) * (topics - 1));
          change[topic] = 1;
          rows.add(0, word[token], change);
          rows.add(1, 0, change);
          change[topic] = 0;
        }
      }
    };
  }
}
