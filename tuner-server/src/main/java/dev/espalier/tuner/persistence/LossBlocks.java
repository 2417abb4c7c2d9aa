package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.MainlineView;
import dev.espalier.api.rest.SeriesView;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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
  /// Branches with more clocks are read from blocks, one by one.
  private static final int SHORT = 4096;

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

  private static final String SPANS =
      """
      select branch, low, high + 1 from (
        select branch,
          (select clock from metric_point where job_id = ? and branch = given.branch
            order by clock limit 1) as low,
          (select clock from metric_point where job_id = ? and branch = given.branch
            order by clock desc limit 1) as high
        from (select distinct branch from unnest(?) as named (branch)) as given
      ) as spans
      where low is not null order by branch
      """;

  private static final String CLOCKS_OF_BRANCHES =
      """
      select point.branch, min(clock), max(clock) + 1, max(run_seconds),
        min(loss) filter (where %1$s), max(loss) filter (where %1$s),
        avg(loss) filter (where %1$s), count(*) filter (where not (%1$s))
      from metric_point point
      join unnest(?, ?, ?) as bound (branch, low, high) using (branch)
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

  /// {@return the losses of many branches, by number; those without a clock are left out}
  ///
  /// @param points at most so many buckets of each
  List<SeriesView> series(String job, List<Integer> branches, int points) {
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
    Map<Integer, List<SeriesView.Bucket>> found = ofSingleClocks(job, spans, points);
    return spans.keySet().stream()
        .map(branch ->
            new SeriesView(
                branch,
                0,
                found.containsKey(branch)
                    ? found.get(branch)
                    : series(job, branch, 0, Long.MAX_VALUE, points)))
        .toList();
  }

  /// Short branches are read at one go, clock by clock.
  private Map<Integer, List<SeriesView.Bucket>> ofSingleClocks(
      String job, Map<Integer, Span> spans, int points) {
    var found = new HashMap<Integer, List<SeriesView.Bucket>>();
    var bounds = new ArrayList<Map.Entry<Integer, Span>>();
    spans.entrySet().stream().filter(one -> one.getValue().clocks() <= SHORT).forEach(bounds::add);
    if (bounds.isEmpty()) {
      return found;
    }
    Object[] numbers = bounds.stream().map(Map.Entry::getKey).toArray();
    Object[] lows = bounds.stream().map(one -> one.getValue().from()).toArray();
    Object[] highs = bounds.stream().map(one -> one.getValue().to()).toArray();
    sql.query(
        CLOCKS_OF_BRANCHES,
        statement -> {
          var connection = statement.getConnection();
          statement.setArray(1, connection.createArrayOf("int4", numbers));
          statement.setArray(2, connection.createArrayOf("int8", lows));
          statement.setArray(3, connection.createArrayOf("int8", highs));
          statement.setString(4, job);
          statement.setArray(5, connection.createArrayOf("int4", numbers));
          statement.setLong(6, points);
          statement.setLong(7, points);
        },
        row -> {
          found.computeIfAbsent(row.getInt(1), _ -> new ArrayList<>()).add(bucket(row, 1));
        });
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
