package dev.espalier.tuner.boot;

import dev.espalier.tuner.persistence.EmbeddedPostgres;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/// The database: the one that was named, or an embedded server.
@Configuration(proxyBeanMethods = false)
class DatabaseConfiguration {
  @Bean(destroyMethod = "close")
  DatabaseServer databaseServer(TunerProperties properties) {
    return properties.database().url() == null
        ? new DatabaseServer(EmbeddedPostgres.start(properties.homeFolder().resolve("postgres")))
        : new DatabaseServer(null);
  }

  @Bean
  JdbcConnectionDetails connectionDetails(TunerProperties properties, DatabaseServer server) {
    TunerProperties.Database outside = properties.database();
    EmbeddedPostgres embedded = server.embedded;
    return embedded == null
        ? new Details(String.valueOf(outside.url()), outside.user(), outside.password())
        : new Details(embedded.url(), embedded.user(), embedded.password());
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

    DatabaseServer(@Nullable EmbeddedPostgres embedded) {
      this.embedded = embedded;
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
