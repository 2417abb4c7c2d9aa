package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.MainlineView;
import dev.espalier.api.rest.SeriesView;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.PreparedStatementSetter;

/*
 * Losses are kept in runs, as they were reported, each within one block of 64 clocks. A series of a
 * million clocks is drawn in some hundred points. Reading a million losses for that takes a second,
 * so each 64 clocks that are over are summed up once, in the commit that ends them: a
 * series in buckets of at least 64 clocks is read from these blocks, and from single clocks after
 * the last block; narrower buckets are read from single clocks, of which there are few then.
 */

/// Reads training losses in buckets of consecutive clocks.
final class LossBlocks {
  /// Clocks of a block.
  static final int CLOCKS = 64;

  /// Clocks that follow one another within one block are a run.
  static final String INSERT_RUNS =
      """
      insert into loss_run (job_id, branch, first_clock, run_seconds, losses)
      select ?, branch, min(clock), array_agg(seconds order by clock), array_agg(loss order by clock)
      from (
        select *, clock - row_number() over (partition by branch order by clock) as stretch
        from unnest(?, ?, ?, ?) as given (branch, clock, seconds, loss)
      ) as point
      group by branch, clock / 64, stretch
      on conflict do nothing
      """;

  /// The losses of a branch's last clocks up to one, the last first. A run has a clock at least.
  static final String LAST_LOSSES =
      """
      select loss from (
        select * from loss_run where job_id = ? and branch = ? and first_clock <= ?
        order by first_clock desc limit ?) as run
      cross join unnest(losses) with ordinality as one (loss, place)
      where first_clock + place - 1 <= ?
      order by first_clock + place desc limit ?
      """;

  private static final String FINITE = "loss not in ('NaN', 'Infinity', '-Infinity')";

  static final String INSERT_BLOCKS =
      """
      insert into loss_block (job_id, branch, block, clock_count, non_finite, low, high, mean,
        run_seconds)
      select ?, given.*, points.* from unnest(?, ?) as given (branch, block)
      cross join lateral (
        select count(*), count(*) filter (where not (%1$s)),
          min(loss) filter (where %1$s), max(loss) filter (where %1$s),
          avg(loss) filter (where %1$s), max(seconds)
        from loss_run cross join unnest(losses, run_seconds) as one (loss, seconds)
        where job_id = ? and branch = given.branch
          and first_clock >= given.block * 64 and first_clock < given.block * 64 + 64) as points
      on conflict do nothing
      """
          .formatted(FINITE);

  private static final String SPANS =
      """
      select branch, low, high from (
        select branch,
          (select first_clock from loss_run where job_id = ? and branch = given.branch
            order by first_clock limit 1) as low,
          (select first_clock + cardinality(losses) from loss_run
            where job_id = ? and branch = given.branch
            order by first_clock desc limit 1) as high
        from (select distinct branch from unnest(?) as named (branch)) as given
      ) as spans
      where low is not null order by branch
      """;

  /// Each part is read by its own clocks, however many parts there are.
  private static final String SINGLE_CLOCKS =
      """
      select branch, points.* from unnest(?, ?, ?, ?) as part (branch, low, high, width)
      cross join lateral (
        select min(clock), max(clock) + 1, max(seconds),
          min(loss) filter (where %1$s), max(loss) filter (where %1$s),
          avg(loss) filter (where %1$s), count(*) filter (where not (%1$s))
        from (
          select first_clock + place - 1 as clock, seconds, loss from loss_run
          cross join unnest(losses, run_seconds) with ordinality as one (loss, seconds, place)
          where job_id = ? and branch = part.branch
            and first_clock >= part.low / 64 * 64 and first_clock < part.high) as point
        where clock >= part.low and clock < part.high
        group by (clock - part.low) / part.width) as points
      order by 1, 2
      """
          .formatted(FINITE);

  /// The first bucket may begin before the first clock, but holds none before it.
  private static final String BLOCKS =
      """
      select branch, points.* from unnest(?, ?, ?, ?, ?) as part (branch, low, high, width, clock)
      cross join lateral (
        select greatest(min(block) * 64, part.clock), max(block) * 64 + 64, max(run_seconds),
          min(low), max(high),
          sum(mean * (clock_count - non_finite)) / nullif(sum(clock_count - non_finite), 0),
          sum(non_finite)
        from loss_block where job_id = ? and branch = part.branch
          and block >= part.low and block < part.high
        group by (block - part.low) / part.width) as points
      order by 1, 2
      """;

  private static final String ENDS =
      """
      select branch, seconds from unnest(?, ?) as part (branch, clock)
      cross join lateral (
        select run_seconds[least(part.clock - first_clock + 1, cardinality(run_seconds))] as seconds
        from loss_run where job_id = ? and branch = part.branch and first_clock <= part.clock
        order by first_clock desc limit 1) as point
      """;

  private static final String MAINLINE =
      BranchChain.OF_MAINLINE + "select number, fork_clock from chain order by depth desc";

  private final JdbcTemplate sql;

  LossBlocks(JdbcTemplate sql) {
    this.sql = sql;
  }

  /// {@return the loss of a branch between two of its own clocks, in at most `points` buckets}
  ///
  /// @param from inclusive
  /// @param to exclusive
  List<SeriesView.Bucket> series(String job, int branch, long from, long to, int points) {
    Span whole = spans(job, List.of(branch)).getOrDefault(branch, Span.EMPTY);
    return buckets(job, List.of(Wanted.inPoints(branch, whole, whole.within(from, to), points)))
        .getOrDefault(branch, List.of());
  }

  /// {@return the losses of many branches, by number; those without a clock are left out}
  ///
  /// @param points at most so many buckets of each
  List<SeriesView> series(String job, List<Integer> branches, int points) {
    Map<Integer, Span> spans = spans(job, branches);
    Map<Integer, List<SeriesView.Bucket>> found =
        buckets(
            job,
            spans.entrySet().stream()
                .map(one -> Wanted.inPoints(one.getKey(), one.getValue(), one.getValue(), points))
                .toList());
    return spans.keySet().stream()
        .map(branch -> new SeriesView(branch, 0, found.getOrDefault(branch, List.of())))
        .toList();
  }

  /// {@return the mainline between two of its clocks, in about `points` buckets: each branch of its
  /// chain begins a bucket of its own}
  MainlineView mainline(String job, long from, long to, int points) {
    List<Part> chain =
        sql.query(
            MAINLINE, (row, number) -> new Part(row.getInt(1), row.getLong(2)), job, job, job);
    if (chain.isEmpty()) {
      return new MainlineView(List.of());
    }
    Map<Integer, Span> spans = spans(job, chain.stream().map(Part::branch).toList());
    Part last = chain.getLast();
    long end = Math.min(to, last.forkClock + spans.getOrDefault(last.branch, Span.EMPTY).to());
    long width = Math.max(1, Math.ceilDiv(Math.max(0, end - from), (long) points));
    var wanted = new ArrayList<Wanted>();
    for (int i = 0; i < chain.size(); i++) {
      Part part = chain.get(i);
      long ownEnd =
          i + 1 < chain.size() ? chain.get(i + 1).forkClock - part.forkClock : Long.MAX_VALUE;
      Span own = spans.getOrDefault(part.branch, Span.EMPTY).within(0, ownEnd);
      Span shown = own.within(from - part.forkClock, saturatedDifference(to, part.forkClock));
      wanted.add(new Wanted(part.branch, own, shown, width));
    }
    Map<Integer, List<SeriesView.Bucket>> found = buckets(job, wanted);
    Map<Integer, Double> ends = secondsAtEnds(job, wanted);
    var buckets = new ArrayList<MainlineView.Bucket>();
    double seconds = 0;
    for (Part part : chain) {
      for (SeriesView.Bucket one : found.getOrDefault(part.branch, List.of())) {
        buckets.add(mainlineBucket(part, one, seconds));
      }
      seconds += ends.getOrDefault(part.branch, 0.0);
    }
    return new MainlineView(buckets);
  }

  private static long saturatedDifference(long to, long clock) {
    return to == Long.MAX_VALUE ? to : to - clock;
  }

  private static MainlineView.Bucket mainlineBucket(
      Part part, SeriesView.Bucket one, double secondsBefore) {
    return new MainlineView.Bucket(
        part.branch,
        part.forkClock + one.fromClock(),
        part.forkClock + one.toClock(),
        secondsBefore + one.seconds(),
        one.min(),
        one.max(),
        one.mean(),
        one.nonFinite());
  }

  /// Wide buckets come from blocks, and what is before the first block and after the last one from
  /// single clocks; all branches are read at one go.
  private Map<Integer, List<SeriesView.Bucket>> buckets(String job, List<Wanted> wanted) {
    List<Wanted> any = wanted.stream().filter(one -> one.span.clocks() > 0).toList();
    List<Wanted> wide = any.stream().filter(one -> one.width >= CLOCKS).toList();
    Map<Integer, List<SeriesView.Bucket>> found = ofBlocks(job, wide);
    var rest = new ArrayList<Wanted>();
    for (Wanted one : any) {
      if (one.width < CLOCKS) {
        rest.add(one);
      } else {
        rest.add(one.of(new Span(one.span.from(), one.firstBlock() * CLOCKS)));
        List<SeriesView.Bucket> read = found.getOrDefault(one.branch, List.of());
        long after =
            read.isEmpty()
                ? Math.max(one.span.from(), one.firstBlock() * CLOCKS)
                : read.getLast().toClock();
        rest.add(one.of(new Span(after, one.span.to())));
      }
    }
    ofClocks(job, rest.stream().filter(one -> one.span.clocks() > 0).toList())
        .forEach((branch, buckets) ->
            found.computeIfAbsent(branch, _ -> new ArrayList<>()).addAll(buckets));
    found
        .values()
        .forEach(list -> list.sort(Comparator.comparingLong(SeriesView.Bucket::fromClock)));
    return found;
  }

  private Map<Integer, List<SeriesView.Bucket>> ofBlocks(String job, List<Wanted> parts) {
    return read(
        BLOCKS,
        parts,
        statement -> {
          setLongs(statement, 2, parts, Wanted::firstBlock);
          setLongs(statement, 3, parts, one -> one.span.to() / CLOCKS);
          setLongs(statement, 4, parts, one -> Math.ceilDiv(one.width, (long) CLOCKS));
          setLongs(statement, 5, parts, one -> one.span.from());
          statement.setString(6, job);
        });
  }

  private Map<Integer, List<SeriesView.Bucket>> ofClocks(String job, List<Wanted> parts) {
    return read(
        SINGLE_CLOCKS,
        parts,
        statement -> {
          setLongs(statement, 2, parts, one -> one.span.from());
          setLongs(statement, 3, parts, one -> one.span.to());
          setLongs(statement, 4, parts, one -> one.width);
          statement.setString(5, job);
        });
  }

  private Map<Integer, List<SeriesView.Bucket>> read(
      String query, List<Wanted> parts, PreparedStatementSetter others) {
    var found = new HashMap<Integer, List<SeriesView.Bucket>>();
    if (parts.isEmpty()) {
      return found;
    }
    sql.query(
        query,
        statement -> {
          setBranches(statement, parts);
          others.setValues(statement);
        },
        row -> {
          found.computeIfAbsent(row.getInt(1), _ -> new ArrayList<>()).add(bucket(row, 1));
        });
    return found;
  }

  /// {@return branch seconds at the last clock that each branch gives}
  private Map<Integer, Double> secondsAtEnds(String job, List<Wanted> parts) {
    var seconds = new HashMap<Integer, Double>();
    sql.query(
        ENDS,
        statement -> {
          setBranches(statement, parts);
          setLongs(statement, 2, parts, one -> one.whole.to() - 1);
          statement.setString(3, job);
        },
        row -> {
          seconds.put(row.getInt(1), row.getDouble(2));
        });
    return seconds;
  }

  private Map<Integer, Span> spans(String job, List<Integer> branches) {
    Object[] numbers = branches.toArray();
    var spans = new TreeMap<Integer, Span>();
    sql.query(
        SPANS,
        statement -> {
          statement.setString(1, job);
          statement.setString(2, job);
          statement.setArray(3, statement.getConnection().createArrayOf("int4", numbers));
        },
        row -> {
          spans.put(row.getInt(1), new Span(row.getLong(2), row.getLong(3)));
        });
    return spans;
  }

  private static void setBranches(PreparedStatement statement, List<Wanted> parts)
      throws SQLException {
    Object[] numbers = parts.stream().map(Wanted::branch).toArray();
    statement.setArray(1, statement.getConnection().createArrayOf("int4", numbers));
  }

  private static void setLongs(
      PreparedStatement statement, int place, List<Wanted> parts, ToLongFunction<Wanted> value)
      throws SQLException {
    Object[] numbers = parts.stream().mapToLong(value).boxed().toArray();
    statement.setArray(place, statement.getConnection().createArrayOf("int8", numbers));
  }

  private static SeriesView.Bucket bucket(ResultSet row, int before) throws SQLException {
    return new SeriesView.Bucket(
        row.getLong(before + 1),
        row.getLong(before + 2),
        row.getDouble(before + 3),
        number(row, before + 4),
        number(row, before + 5),
        number(row, before + 6),
        row.getLong(before + 7));
  }

  private static @Nullable Double number(ResultSet row, int column) throws SQLException {
    double value = row.getDouble(column);
    return row.wasNull() || !Double.isFinite(value) ? null : value;
  }

  /// Clocks from one to another, the end excluded.
  private record Span(long from, long to) {
    static final Span EMPTY = new Span(0, 0);

    long clocks() {
      return to - from;
    }

    Span within(long low, long high) {
      return new Span(Math.max(from, low), Math.min(to, high));
    }
  }

  /// What is to be read of a branch.
  ///
  /// @param whole the clocks that it gives
  /// @param span the clocks to be read
  /// @param width clocks of a bucket
  private record Wanted(int branch, Span whole, Span span, long width) {
    static Wanted inPoints(int branch, Span whole, Span span, int points) {
      long width = Math.max(1, Math.ceilDiv(span.clocks(), (long) points));
      if (width >= CLOCKS) {
        // Clocks before the first block and after the last one are buckets of their own.
        width = Math.ceilDiv(span.clocks(), Math.max(1L, points - 2L));
      }
      return new Wanted(branch, whole, span, width);
    }

    Wanted of(Span part) {
      return new Wanted(branch, whole, part, width);
    }

    /// {@return the first block that is read as one; it may begin before the branch's first clock}
    long firstBlock() {
      return span.from() == whole.from()
          ? span.from() / CLOCKS
          : Math.ceilDiv(span.from(), (long) CLOCKS);
    }
  }

  /// A branch of the mainline's chain.
  private record Part(int branch, long forkClock) {}
}
