package dev.espalier.tuner.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.boot.TestServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

class LossBlocksTest {
  private static final int BLOCKS_WHILE_SMALL = 30;
  private static final int CLOCKS_LATER = 100_000;
  private static final int CLOCKS_OF_A_RUN = 16;

  /// A connection keeps a statement's plan, and a young table grows a thousandfold before anybody
  /// counts its rows again: the planner must not have had a choice while it was small.
  @Test
  void aBlockIsSummedUpFromItsOwnClocksHoweverSmallTheTableWas() throws SQLException {
    try (Connection connection = TestServer.get().bean(DataSource.class).getConnection()) {
      // In the place of the real ones, which other tests fill, and only for this connection.
      var sql = new JdbcTemplate(new SingleConnectionDataSource(connection, true));
      sql.execute("create temp table loss_run (like public.loss_run including all)");
      sql.execute("create temp table loss_block (like public.loss_block including all)");
      try {
        for (int block = 0; block < BLOCKS_WHILE_SMALL; block++) {
          insertClocks(sql, block * LossBlocks.CLOCKS, LossBlocks.CLOCKS);
          insertBlock(sql, block);
        }
        int firstLater = BLOCKS_WHILE_SMALL * LossBlocks.CLOCKS;
        insertClocks(sql, firstLater, CLOCKS_LATER);
        connection.setAutoCommit(false);
        long before = runsRead(sql);

        insertBlock(sql, BLOCKS_WHILE_SMALL);

        assertThat(runsRead(sql) - before).isEqualTo(LossBlocks.CLOCKS / CLOCKS_OF_A_RUN);
        connection.rollback();
      } finally {
        connection.setAutoCommit(true);
        sql.execute("drop table pg_temp.loss_run, pg_temp.loss_block");
      }
    }
  }

  private static void insertClocks(JdbcTemplate sql, int from, int count) {
    sql.update(
        "insert into loss_run (job_id, branch, first_clock, run_seconds, losses)"
            + " select 'job', 1, clock, array_fill(1.0, array[?]), array_fill(2.0, array[?])"
            + " from generate_series(?, ?, ?) as clock",
        CLOCKS_OF_A_RUN,
        CLOCKS_OF_A_RUN,
        from,
        from + count - 1,
        CLOCKS_OF_A_RUN);
  }

  private static void insertBlock(JdbcTemplate sql, long block) {
    sql.update(
        LossBlocks.INSERT_BLOCKS,
        statement -> {
          Connection connection = statement.getConnection();
          statement.setString(1, "job");
          statement.setArray(2, connection.createArrayOf("int4", new Integer[] {1}));
          statement.setArray(3, connection.createArrayOf("int8", new Long[] {block}));
          statement.setString(4, "job");
        });
  }

  /// {@return rows that the present transaction has read}
  private static long runsRead(JdbcTemplate sql) {
    return Objects.requireNonNull(
        sql.queryForObject(
            "select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)"
                + " from pg_stat_xact_all_tables where relid = 'loss_run'::regclass",
            Long.class));
  }
}
