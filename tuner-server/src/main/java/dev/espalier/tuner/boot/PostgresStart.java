package dev.espalier.tuner.boot;

import dev.espalier.tuner.persistence.EmbeddedPostgres;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.support.GenericApplicationContext;

/// Starts the embedded PostgreSQL, where it is used, beside the framework, which needs it late:
/// unpacking it and making its first data take longer than its start.
///
/// It comes after `Preflight`, so that a server that cannot start touches no data.
final class PostgresStart
    implements ApplicationContextInitializer<GenericApplicationContext>, AutoCloseable {
  // Of the thread that starts the server.
  private @Nullable CompletableFuture<EmbeddedPostgres> server;

  @Override
  public void initialize(GenericApplicationContext context) {
    TunerProperties properties = Preflight.properties(context.getEnvironment());
    if (properties.database().url() == null) {
      Path folder = properties.homeFolder().resolve("postgres");
      server =
          CompletableFuture.supplyAsync(
              () -> EmbeddedPostgres.start(folder),
              task -> Thread.ofVirtual().name("postgres-start").start(task));
    }
    context.registerBean("postgresStart", PostgresStart.class, () -> this);
  }

  /// {@return the server, once it is ready}
  ///
  /// @throws java.util.concurrent.CompletionException around the sentence of `EmbeddedPostgres`
  EmbeddedPostgres await() {
    if (server == null) {
      throw new IllegalStateException("an outside database is named");
    }
    return server.join();
  }

  /// Ends the server, also one that is still starting.
  @Override
  public void close() {
    if (server != null) {
      server.handle((started, failure) -> started).thenAccept(PostgresStart::end).join();
    }
  }

  private static void end(@Nullable EmbeddedPostgres started) {
    if (started != null) {
      started.close();
    }
  }
}
