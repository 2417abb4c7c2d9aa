package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.MainlineView;
import dev.espalier.api.rest.SeriesView;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;

/*
 * A series of a million clocks is drawn in some hundred points. Reading a million rows for that takes
 * a second, so each 64 clocks that are over are summed up once, in the commit that ends them: a
 * series in buckets of at least 64 clocks is read from these blocks, and from single clocks after
 * the last block; narrower buckets are read from single clocks, of which there are few then.
 */

/// Reads training losses in buckets of consecutive clocks.
final class LossBlocks {
  /// Clocks of a block.
  static final int CLOCKS = 64;

  private static final String FINITE = "loss not in ('NaN', 'Infinity', '-Infinity')";

  static final String INSERT =
      """
      insert into loss_block (job_id, branch, block, clock_count, non_finite, low, high, mean,
        run_seconds)
      select ?, given.branch, given.block, count(*), count(*) filter (where not (%1$s)),
        min(loss) filter (where %1$s), max(loss) filter (where %1$s),
        avg(loss) filter (where %1$s), max(run_seconds)
      from unnest(?, ?) as given (branch, block)
      join metric_point point on point.job_id = ? and point.branch = given.branch
        and point.clock >= given.block * 64 and point.clock < given.block * 64 + 64
      group by given.branch, given.block
      on conflict do nothing
      """
          .formatted(FINITE);

  private static final String CLOCKS_OF_BRANCHES =
      """
      with bound as materialized (
        select branch, min(clock) as low, max(clock) + 1 as high from metric_point
        where job_id = ? and branch = any(?) group by branch
      )
      select point.branch, min(clock), max(clock) + 1, max(run_seconds),
        min(loss) filter (where %1$s), max(loss) filter (where %1$s),
        avg(loss) filter (where %1$s), count(*) filter (where not (%1$s))
      from metric_point point join bound using (branch)
      where job_id = ? and point.branch = any(?)
      group by point.branch, (clock - low) * ? / greatest(high - low, ?)
      order by 1, 2
      """
          .formatted(FINITE);

  private static final String SINGLE_CLOCKS =
      """
      select min(clock), max(clock) + 1, max(run_seconds),
        min(loss) filter (where %1$s), max(loss) filter (where %1$s),
        avg(loss) filter (where %1$s), count(*) filter (where not (%1$s))
      from metric_point where job_id = ? and branch = ? and clock >= ? and clock < ?
      group by (clock - ?) / ? order by 1
      """
          .formatted(FINITE);

  private static final String BLOCKS =
      """
      select greatest(min(block) * 64, ?), max(block) * 64 + 64, max(run_seconds),
        min(low), max(high),
        sum(mean * (clock_count - non_finite)) / nullif(sum(clock_count - non_finite), 0),
        sum(non_finite)
      from loss_block where job_id = ? and branch = ? and block >= ? and block < ?
      group by (block - ?) / ? order by 1
      """;

  private static final String CHAIN =
      """
      with recursive chain (number, parent_branch, fork_clock, depth) as (
        select number, parent_branch, fork_clock, 0 from branch
        where job_id = ? and number = (select mainline_branch from job where job_id = ?)
        union all
        select parent.number, parent.parent_branch, parent.fork_clock, chain.depth + 1
        from chain join branch parent on parent.job_id = ? and parent.number = chain.parent_branch
        where chain.depth < 10000
      )
      select number, fork_clock from chain order by depth desc
      """;

  private final JdbcTemplate sql;

  LossBlocks(JdbcTemplate sql) {
    this.sql = sql;
  }

  /// {@return the loss of a branch between two of its own clocks, in at most `points` buckets}
  ///
  /// @param from inclusive
  /// @param to exclusive
  List<SeriesView.Bucket> series(String job, int branch, long from, long to, int points) {
    Span whole = span(job, branch);
    Span span = whole.within(from, to);
    long width = Math.max(1, Math.ceilDiv(span.clocks(), (long) points));
    if (width >= CLOCKS) {
      // Clocks before the first block and after the last one are buckets of their own.
      width = Math.ceilDiv(span.clocks(), Math.max(1L, points - 2L));
    }
    return buckets(job, branch, whole, span, width);
  }

  /// {@return the losses of many short branches, by number}
  ///
  /// @param points at most so many buckets of each
  List<SeriesView> series(String job, List<Integer> branches, int points) {
    var found = new ArrayList<SeriesView>();
    var current = new ArrayList<SeriesView.Bucket>();
    Object[] numbers = branches.toArray();
    int[] branch = {-1};
    sql.query(
        CLOCKS_OF_BRANCHES,
        statement -> {
          var array = statement.getConnection().createArrayOf("int4", numbers);
          statement.setString(1, job);
          statement.setArray(2, array);
          statement.setString(3, job);
          statement.setArray(4, array);
          statement.setLong(5, points);
          statement.setLong(6, points);
        },
        row -> {
          if (row.getInt(1) != branch[0]) {
            if (branch[0] >= 0) {
              found.add(new SeriesView(branch[0], 0, current));
            }
            current.clear();
            branch[0] = row.getInt(1);
          }
          current.add(bucket(row, 1));
        });
    if (branch[0] >= 0) {
      found.add(new SeriesView(branch[0], 0, current));
    }
    return found;
  }

  /// {@return the mainline between two of its clocks, in about `points` buckets: each branch of its
  /// chain begins a bucket of its own}
  MainlineView mainline(String job, long from, long to, int points) {
    List<Part> chain =
        sql.query(CHAIN, (row, number) -> new Part(row.getInt(1), row.getLong(2)), job, job, job);
    if (chain.isEmpty()) {
      return new MainlineView(List.of());
    }
    Part last = chain.getLast();
    long end = Math.min(to, last.forkClock + span(job, last.branch).to());
    long width = Math.max(1, Math.ceilDiv(Math.max(0, end - from), (long) points));
    var buckets = new ArrayList<MainlineView.Bucket>();
    double seconds = 0;
    for (int i = 0; i < chain.size(); i++) {
      Part part = chain.get(i);
      long partEnd = i + 1 < chain.size() ? chain.get(i + 1).forkClock : Long.MAX_VALUE;
      Span own =
          span(job, part.branch)
              .within(0, partEnd == Long.MAX_VALUE ? partEnd : partEnd - part.forkClock);
      Span shown = own.within(from - part.forkClock, saturatedDifference(to, part.forkClock));
      for (SeriesView.Bucket one : buckets(job, part.branch, own, shown, width)) {
        buckets.add(mainlineBucket(part, one, seconds));
      }
      seconds += secondsAt(job, part.branch, own.to() - 1);
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

  private List<SeriesView.Bucket> buckets(
      String job, int branch, Span whole, Span span, long width) {
    if (span.clocks() <= 0) {
      return List.of();
    }
    if (width < CLOCKS) {
      return singleClocks(job, branch, span, width);
    }
    long blocks = Math.ceilDiv(width, (long) CLOCKS);
    // The first block may begin before the first clock, but holds none before it.
    long firstBlock =
        span.from() == whole.from()
            ? span.from() / CLOCKS
            : Math.ceilDiv(span.from(), (long) CLOCKS);
    long endBlock = span.to() / CLOCKS;
    var all =
        new ArrayList<>(
            singleClocks(
                job, branch, new Span(span.from(), firstBlock * CLOCKS), Math.max(1, width)));
    all.addAll(
        sql.query(
            BLOCKS,
            (row, number) -> bucket(row, 0),
            span.from(),
            job,
            branch,
            firstBlock,
            endBlock,
            firstBlock,
            blocks));
    long read = all.isEmpty() ? span.from() : all.getLast().toClock();
    all.addAll(singleClocks(job, branch, new Span(read, span.to()), width));
    return all;
  }

  private List<SeriesView.Bucket> singleClocks(String job, int branch, Span span, long width) {
    if (span.clocks() <= 0) {
      return List.of();
    }
    return sql.query(
        SINGLE_CLOCKS,
        (row, number) -> bucket(row, 0),
        job,
        branch,
        span.from(),
        span.to(),
        span.from(),
        width);
  }

  private Span span(String job, int branch) {
    return sql.queryForObject(
        "select coalesce((select clock from metric_point where job_id = ? and branch = ?"
            + " order by clock limit 1), 0),"
            + " coalesce((select clock + 1 from metric_point where job_id = ? and branch = ?"
            + " order by clock desc limit 1), 0)",
        (row, number) -> new Span(row.getLong(1), row.getLong(2)),
        job,
        branch,
        job,
        branch);
  }

  private double secondsAt(String job, int branch, long clock) {
    return sql
        .query(
            "select run_seconds from metric_point where job_id = ? and branch = ? and clock <= ?"
                + " order by clock desc limit 1",
            (row, number) -> row.getDouble(1),
            job,
            branch,
            clock)
        .stream()
        .findFirst()
        .orElse(0.0);
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
    long clocks() {
      return to - from;
    }

    Span within(long low, long high) {
      return new Span(Math.max(from, low), Math.min(to, high));
    }
  }

  /// A branch of the mainline's chain.
  private record Part(int branch, long forkClock) {}
}
