package dev.espalier.tuner.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.boot.TestServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.JdbcTemplate;

class EmbeddedPostgresTest {
  @TempDir private Path folder;

  /// Starts a server in the folder of its argument and waits to be killed.
  static final class Owner {
    private Owner() {}

    public static void main(String[] arguments) throws InterruptedException {
      EmbeddedPostgres server = EmbeddedPostgres.start(Path.of(arguments[0]));
      System.out.println(server.url());
      Thread.sleep(60_000);
    }
  }

  @Test
  void isDurableAndProtected() {
    var sql = TestServer.get().bean(JdbcTemplate.class);

    assertThat(sql.queryForObject("show server_version", String.class))
        .isEqualTo(EmbeddedPostgres.VERSION);
    assertThat(sql.queryForObject("show fsync", String.class)).isEqualTo("on");
    assertThat(sql.queryForObject("show data_checksums", String.class)).isEqualTo("on");
    assertThat(sql.queryForObject("show password_encryption", String.class))
        .isEqualTo("scram-sha-256");
  }

  @Test
  void everyTableAndColumnIsExplained() {
    var sql = TestServer.get().bean(JdbcTemplate.class);

    assertThat(
            sql.queryForList(
                """
                select c.relname || coalesce('.' || a.attname, '')
                from pg_class c
                join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
                left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
                  and not a.attisdropped
                where c.relkind = 'r' and c.relname <> 'flyway_schema_history'
                  and (col_description(c.oid, a.attnum) is null
                    or obj_description(c.oid, 'pg_class') is null)
                """,
                String.class))
        .isEmpty();
  }

  @Test
  void killedOwnerLeavesNoServerAndItsDataAreThereAgain() throws Exception {
    copyBinaries();
    Process owner =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Owner.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String url;
    try (var lines = owner.inputReader()) {
      url = lines.readLine();
      assertThat(url).startsWith("jdbc:postgresql://127.0.0.1:");
      assertThatThrownBy(() -> EmbeddedPostgres.start(folder))
          .isInstanceOf(EspalierException.class)
          .hasMessageContaining("another Espalier server already uses " + folder);
      try (var connection = connect(url);
          var statement = connection.createStatement()) {
        statement.execute("create table kept (id int)");
        statement.execute("insert into kept values (7)");
      }
    } finally {
      owner.destroyForcibly().waitFor();
    }
    Awaitility.await()
        .atMost(10, TimeUnit.SECONDS)
        .untilAsserted(
            () -> assertThatThrownBy(() -> connect(url)).isInstanceOf(SQLException.class));

    try (var server = EmbeddedPostgres.start(folder);
        var connection = connect(server.url());
        var statement = connection.createStatement();
        var rows = statement.executeQuery("select id from kept")) {
      assertThat(rows.next()).isTrue();
      assertThat(rows.getInt(1)).isEqualTo(7);
      restartsWhenItDies(server);
    }
    assertThat(Files.getPosixFilePermissions(folder.resolve("data-18.password")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    startsThoughItsPidFileNamesAStrangerOrNobody();
  }

  private void restartsWhenItDies(EmbeddedPostgres server) throws Exception {
    server.process().descendants().forEach(ProcessHandle::destroyForcibly);
    Awaitility.await()
        .atMost(20, TimeUnit.SECONDS)
        .ignoreExceptions()
        .untilAsserted(() -> connect(server.url()).close());
  }

  private void startsThoughItsPidFileNamesAStrangerOrNobody() throws Exception {
    Path other = TestServer.get().home().resolve("postgres/data-18/postmaster.pid");
    long otherPostgres = Long.parseLong(Files.readAllLines(other).getFirst().strip());
    for (long stranger : new long[] {ProcessHandle.current().pid(), otherPostgres}) {
      Files.writeString(folder.resolve("data-18/postmaster.pid"), stranger + "\n");
      try (var server = EmbeddedPostgres.start(folder)) {
        connect(server.url()).close();
      }
      assertThat(ProcessHandle.of(stranger)).get().matches(ProcessHandle::isAlive);
    }
    Files.writeString(folder.resolve("data-18/postmaster.pid"), "garbage\n");
    try (var server = EmbeddedPostgres.start(folder)) {
      connect(server.url()).close();
    }
  }

  @Test
  void whatWasHalfMadeIsMadeAnew() throws Exception {
    copyBinaries();
    Files.createDirectories(folder.resolve("data-18.new"));
    Files.writeString(folder.resolve("data-18.new/PG_VERSION"), "18");
    Files.writeString(folder.resolve("data-18.password.new"), "");
    try (var server = EmbeddedPostgres.start(folder)) {
      connect(server.url()).close();
    }
    assertThat(folder.resolve("data-18.new")).doesNotExist();
  }

  /// An empty database beside it would look as if all jobs were lost.
  @Test
  void whatAnotherMajorVersionHasWrittenIsLeftAlone() throws Exception {
    Files.createDirectories(folder.resolve("data-17"));
    Files.writeString(folder.resolve("data-17/PG_VERSION"), "17\n");

    assertThatThrownBy(() -> EmbeddedPostgres.start(folder).close())
        .isInstanceOfSatisfying(
            EspalierException.class,
            failure -> assertThat(failure.code()).isEqualTo(ErrorCode.WRONG_STATE))
        .hasMessageContaining("data-17 was written by PostgreSQL 17, and this server brings")
        .hasMessageContaining("dump its database");
    try (var left = Files.list(folder)) {
      assertThat(left.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("data-17", "data-18.lock");
    }
  }

  private Connection connect(String url) throws SQLException {
    try {
      return DriverManager.getConnection(
          url, "espalier", Files.readString(folder.resolve("data-18.password")).strip());
    } catch (java.io.IOException e) {
      throw new SQLException(e);
    }
  }

  /// Unpacking is tested by the server of the other tests; here it would only take time.
  private void copyBinaries() throws Exception {
    String name = "postgresql-" + EmbeddedPostgres.VERSION;
    Path unpacked = TestServer.get().home().resolve("postgres").resolve(name);
    new ProcessBuilder("cp", "-a", unpacked.toString(), folder.resolve(name).toString())
        .start()
        .waitFor();
  }
}
