package dev.espalier.tuner.persistence;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.tuner.app.port.JobStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationState;

/// Brings the tables of a database up to date, unless a job or a newer server would suffer by it.
///
/// Tables are never taken back, so whatever speaks against an upgrade is found before anything is
/// changed.
public final class SchemaUpgrade {
  /// Jobs that a refusal names.
  private static final int NAMED = 5;

  /// In the schema that the connection is for, of those that a database may have.
  private static final String VERSION_COLUMN =
      """
      select 1 from pg_attribute
      where attrelid = to_regclass('job') and attname = 'policy_version'
      """;

  /// What belongs to an extension is nobody's data.
  private static final String TABLES_OF_OTHERS =
      """
      select to_regclass('flyway_schema_history') is null and exists (
        select 1 from pg_class
        where relnamespace = to_regnamespace(current_schema()) and relkind in ('r', 'p', 'v', 'm')
          and not exists (
            select 1 from pg_depend
            where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'))
      """;

  private static final String UNFINISHED =
      """
      select job_id, policy, policy_version, state from job
      where state <> all (?) order by position
      """;

  private static final String[] TERMINAL =
      Arrays.stream(JobState.values())
          .filter(JobState::isTerminal)
          .map(JobState::name)
          .toArray(String[]::new);

  private final Flyway flyway;

  /// @param flyway of the database, configured
  public SchemaUpgrade(Flyway flyway) {
    this.flyway = flyway;
  }

  /// Brings the tables up to date.
  ///
  /// @param policies the version of a policy that this server has, by its name
  /// @param leavesJobs whether to go on although some jobs could then only be ended
  /// @throws EspalierException `WRONG_STATE` when a newer server has been here, or when jobs run
  ///   that another version of their policy has begun; nothing was changed then
  public void run(ToIntFunction<String> policies, boolean leavesJobs) {
    requireNoTablesOfOthers();
    requireNotNewer();
    if (!leavesJobs) {
      requireNoForeignJobs(policies);
    }
    flyway.migrate();
  }

  private void requireNoTablesOfOthers() {
    if (read(SchemaUpgrade::hasTablesOfOthers)) {
      throw new EspalierException(
          ErrorCode.WRONG_STATE,
          "the database has tables of something else; name an empty one, or a schema of its own"
              + " with ?currentSchema=NAME behind its URL");
    }
  }

  private static boolean hasTablesOfOthers(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var answer = statement.executeQuery(TABLES_OF_OTHERS)) {
      return answer.next() && answer.getBoolean(1);
    }
  }

  private void requireNotNewer() {
    MigrationInfo[] all = flyway.info().all();
    Stream.of(all)
        .filter(migration -> isOfNewer(migration.getState()))
        .reduce((_, last) -> last)
        .ifPresent(newest -> {
          String known =
              Stream.of(all)
                  .filter(migration -> !isOfNewer(migration.getState()))
                  .reduce((_, last) -> last)
                  .map(migration -> String.valueOf(migration.getVersion()))
                  .orElse("none");
          throw new EspalierException(
              ErrorCode.WRONG_STATE,
              "the database was used by a newer Espalier: its tables are of version "
                  + newest.getVersion()
                  + ", and this one knows "
                  + known
                  + "; start the newer one, or restore a backup from before it");
        });
  }

  private static boolean isOfNewer(MigrationState state) {
    return state == MigrationState.FUTURE_SUCCESS || state == MigrationState.FUTURE_FAILED;
  }

  private void requireNoForeignJobs(ToIntFunction<String> policies) {
    List<String> foreign = read(connection -> foreign(connection, policies));
    if (!foreign.isEmpty()) {
      String names =
          String.join("; ", foreign.subList(0, Math.min(NAMED, foreign.size())))
              + (foreign.size() > NAMED ? "; and %d more".formatted(foreign.size() - NAMED) : "");
      throw new EspalierException(
          ErrorCode.WRONG_STATE,
          "jobs have not ended that this version cannot go on with, since it would decide"
              + " otherwise on what happened before: "
              + names
              + ". Let them end, or cancel them, with the version before; or start this one with"
              + " --set leave-jobs=true, which leaves them as they are, only to be ended. Nothing"
              + " was changed.");
    }
  }

  private interface Reading<T> {
    T of(Connection connection) throws SQLException;
  }

  private <T> T read(Reading<T> reading) {
    try (Connection connection = flyway.getConfiguration().getDataSource().getConnection()) {
      return reading.of(connection);
    } catch (SQLException e) {
      throw new EspalierException(
          ErrorCode.DATABASE_AWAY, "the database cannot be read: " + e.getMessage(), e);
    }
  }

  private static List<String> foreign(Connection connection, ToIntFunction<String> policies)
      throws SQLException {
    var foreign = new ArrayList<String>();
    if (!hasVersions(connection)) {
      return foreign;
    }
    try (var statement = connection.prepareStatement(UNFINISHED)) {
      statement.setArray(1, connection.createArrayOf("text", TERMINAL));
      try (var row = statement.executeQuery()) {
        while (row.next()) {
          String policy = row.getString(2);
          int begun = row.getInt(3);
          int here = policies.applyAsInt(policy);
          if (JobStore.isOfAnotherVersion(JobState.valueOf(row.getString(4)), begun, here)) {
            foreign.add(
                "%s (policy %s, version %d; here %d)"
                    .formatted(row.getString(1), policy, begun, here));
          }
        }
      }
    }
    return foreign;
  }

  /// {@return whether the tables are new enough to tell versions of policies}
  private static boolean hasVersions(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var column = statement.executeQuery(VERSION_COLUMN)) {
      return column.next();
    }
  }
}
