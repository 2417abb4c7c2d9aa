package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.persistence.EmbeddedPostgres;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;

/// What a server says that cannot start; each is one sentence.
class StartTest {
  @TempDir private Path folder;

  @Test
  void portInUseIsNamed() throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      refuses(
          ErrorCode.PORT_IN_USE,
          "port " + taken.getLocalPort() + " on 127.0.0.1 cannot be used",
          "--espalier.http.port=" + taken.getLocalPort());
      refuses(
          ErrorCode.PORT_IN_USE,
          "choose another one with --grpc-port",
          "--espalier.http.port=0",
          "--espalier.grpc.port=" + taken.getLocalPort());
    }
  }

  @Test
  void databaseThatIsAwayIsNamedWithoutItsPassword() {
    assertThatThrownBy(() ->
            start(
                "--espalier.database.url=jdbc:postgresql://127.0.0.1:1/x?password=hidden",
                "--espalier.database.password=hidden"))
        .isInstanceOfSatisfying(
            EspalierException.class,
            failure -> {
              assertThat(failure.code()).isEqualTo(ErrorCode.DATABASE_AWAY);
              assertThat(failure)
                  .hasMessageStartingWith(
                      "the database at jdbc:postgresql://127.0.0.1:1/x cannot be reached")
                  .message()
                  .doesNotContain("hidden");
            });
    refuses(
        ErrorCode.INVALID_REQUEST,
        "must start with jdbc:postgresql: but is jdbc:h2:mem:x",
        "--espalier.http.port=0",
        "--espalier.grpc.port=0",
        "--espalier.database.url=jdbc:h2:mem:x");
  }

  @Test
  void unknownSettingGetsASuggestion() {
    refuses(
        ErrorCode.INVALID_REQUEST,
        "there is no setting http.prot; did you mean http.port?",
        "--espalier.http.prot=1");
    refuses(
        ErrorCode.INVALID_REQUEST,
        "did you mean max-jobs-running?",
        "--espalier.max-job-running=1");
    refuses(ErrorCode.INVALID_REQUEST, "did you mean max-jobs-running?", "--espalier.max-jobs=1");
  }

  @Test
  void settingOutOfItsBoundsIsNamed() {
    refuses(
        ErrorCode.INVALID_REQUEST,
        "http.port must lie in [0, 65535] but is 70000",
        "--espalier.http.port=70000");
    refuses(
        ErrorCode.INVALID_REQUEST,
        "http.port must be a whole number but is abc",
        "--espalier.http.port=abc");
    refuses(
        ErrorCode.INVALID_REQUEST,
        "max-jobs-running must lie in [1, 1000] but is 0",
        "--espalier.http.port=0",
        "--espalier.max-jobs-running=0");
  }

  @Test
  void homeThatCannotBeWrittenIsNamed() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));

    assertThatThrownBy(() -> TunerServerApplication.start("--espalier.home=" + file))
        .isInstanceOf(EspalierException.class)
        .hasMessageContaining(file.toString());
    assertThatThrownBy(() -> TunerServerApplication.start("--espalier.home=/proc/none"))
        .isInstanceOf(EspalierException.class)
        .hasMessageContaining("ESPALIER_HOME");
  }

  @Test
  void secondServerOfAHomeIsRefused() {
    refuses(
        ErrorCode.WRONG_STATE,
        "another Espalier server already uses " + TestServer.get().home(),
        TestServer.get().home(),
        "--espalier.http.port=0",
        "--espalier.grpc.port=0");
  }

  @Test
  void secondServerOfADatabaseIsRefused() {
    var database = TestServer.get().bean(JdbcConnectionDetails.class);
    refuses(
        ErrorCode.WRONG_STATE,
        "another Espalier server already uses the database at " + database.getJdbcUrl(),
        "--espalier.http.port=0",
        "--espalier.grpc.port=0",
        "--espalier.database.url=" + database.getJdbcUrl(),
        "--espalier.database.user=" + database.getUsername(),
        "--espalier.database.password=" + database.getPassword());
  }

  @Test
  void databaseEndsWithAStartThatFailsBesideIt() {
    assertThatThrownBy(() ->
            TunerServerApplication.start(
                List.of(Fails.class),
                "--espalier.home=" + folder,
                "--espalier.http.port=0",
                "--espalier.grpc.port=0"))
        .hasMessageContaining("fails before anything asks for the database");

    Path postgres = folder.resolve("postgres");
    assertThat(EmbeddedPostgres.hasData(postgres)).isTrue();
    assertThat(postgres.resolve("data-18").resolve("postmaster.pid")).doesNotExist();
    EmbeddedPostgres.start(postgres).close();
  }

  static final class Fails implements BeanFactoryPostProcessor {
    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory factory) {
      throw new IllegalStateException("fails before anything asks for the database");
    }
  }

  private void refuses(ErrorCode code, String words, String... arguments) {
    refuses(code, words, folder, arguments);
  }

  private void refuses(ErrorCode code, String words, Path home, String... arguments) {
    var all = new java.util.ArrayList<>(List.of(arguments));
    all.add("--espalier.home=" + home);
    assertThatThrownBy(() ->
            TunerServerApplication.start(
                List.of(ServerConfiguration.class), all.toArray(String[]::new)))
        .isInstanceOfSatisfying(
            EspalierException.class, failure -> assertThat(failure.code()).isEqualTo(code))
        .hasMessageContaining(words);
  }

  private void start(String... arguments) {
    var all = new java.util.ArrayList<>(List.of(arguments));
    all.addAll(
        List.of("--espalier.home=" + folder, "--espalier.http.port=0", "--espalier.grpc.port=0"));
    TunerServerApplication.start(List.of(ServerConfiguration.class), all.toArray(String[]::new));
  }
}
