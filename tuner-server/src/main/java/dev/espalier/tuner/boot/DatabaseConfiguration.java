package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.app.JobPlans;
import dev.espalier.tuner.persistence.DatabaseClaim;
import dev.espalier.tuner.persistence.EmbeddedPostgres;
import dev.espalier.tuner.persistence.FolderLock;
import dev.espalier.tuner.persistence.SchemaUpgrade;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.flyway.autoconfigure.FlywayConnectionDetails;
import org.springframework.boot.flyway.autoconfigure.FlywayMigrationStrategy;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/// The database: the one that was named, or an embedded server; this server's alone in any case.
@Configuration(proxyBeanMethods = false)
class DatabaseConfiguration {
  private static final Logger LOG = LoggerFactory.getLogger(DatabaseConfiguration.class);

  /// @param homeLock kept until it has ended
  @Bean(destroyMethod = "close")
  DatabaseServer databaseServer(
      TunerProperties properties, FolderLock homeLock, PostgresStart postgres) {
    TunerProperties.Database outside = properties.database();
    if (outside.url() != null) {
      return new DatabaseServer(
          null, new Details(outside.url(), outside.user(), outside.password()));
    }
    EmbeddedPostgres embedded = postgres.await();
    return new DatabaseServer(
        embedded, new Details(embedded.url(), embedded.user(), embedded.password()));
  }

  /// Taken before the tables are touched.
  @Bean(destroyMethod = "close")
  DatabaseClaim databaseClaim(DatabaseServer server, ConfigurableApplicationContext context) {
    Details details = server.details;
    String name = Preflight.withoutQuery(details.url);
    try {
      DatabaseClaim claim =
          DatabaseClaim.take(details.url, details.user, details.password)
              .orElseThrow(() ->
                  new EspalierException(
                      ErrorCode.WRONG_STATE,
                      "another Espalier server already uses the database at "
                          + name
                          + "; stop it, or name another database with ESPALIER_DATABASE_URL"));
      claim.watch(() -> giveWay(name, context));
      return claim;
    } catch (SQLException e) {
      throw Preflight.unusable(details.url, e);
    }
  }

  /// Two servers must not run the same jobs; their workers find the other one or wait.
  private static void giveWay(String database, ConfigurableApplicationContext context) {
    LOG.error("event=database-taken database={} another server has it, this one ends", database);
    Thread.ofPlatform()
        .name("give-way")
        .start(() -> {
          context.close();
          System.exit(1);
        });
  }

  /// Looks for what speaks against an upgrade before it touches a table.
  @Bean
  FlywayMigrationStrategy schemaUpgrade(TunerProperties properties) {
    return flyway -> new SchemaUpgrade(flyway).run(JobPlans::policyVersion, properties.leaveJobs());
  }

  @Bean
  JdbcConnectionDetails connectionDetails(DatabaseServer server, DatabaseClaim claim) {
    return server.details;
  }

  /// A migration takes as long as it takes: the pool's connections count as broken when a statement
  /// is not answered within half a minute.
  @Bean
  FlywayConnectionDetails migrationDetails(DatabaseServer server, DatabaseClaim claim) {
    return new MigrationDetails(server.details);
  }

  private record MigrationDetails(Details details) implements FlywayConnectionDetails {
    @Override
    public String getJdbcUrl() {
      return details.url;
    }

    @Override
    public @Nullable String getUsername() {
      return details.user;
    }

    @Override
    public @Nullable String getPassword() {
      return details.password;
    }
  }

  private record Details(String url, @Nullable String user, @Nullable String password)
      implements JdbcConnectionDetails {
    @Override
    public String getJdbcUrl() {
      return url;
    }

    @Override
    public @Nullable String getUsername() {
      return user;
    }

    @Override
    public @Nullable String getPassword() {
      return password;
    }

    @Override
    public String toString() {
      return "Details[user=" + user + "]";
    }
  }

  /// Ends the embedded server, where there is one, after everything that uses it.
  static final class DatabaseServer implements AutoCloseable {
    private final @Nullable EmbeddedPostgres embedded;
    private final Details details;

    private DatabaseServer(@Nullable EmbeddedPostgres embedded, Details details) {
      this.embedded = embedded;
      this.details = details;
    }

    /// {@return what the embedded server writes to}
    Optional<Path> log() {
      return Optional.ofNullable(embedded).map(EmbeddedPostgres::log);
    }

    @Override
    public void close() {
      if (embedded != null) {
        embedded.close();
      }
    }
  }
}
