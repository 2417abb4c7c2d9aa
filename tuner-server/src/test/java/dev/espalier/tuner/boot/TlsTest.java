package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.EspalierException;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.tuner.rest.Doubles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;

/// A server that encrypts.
class TlsTest {
  @TempDir private Path folder;

  private ConfigurableApplicationContext start(TestCertificate own, String... more) {
    var database = TestServer.get().bean(JdbcConnectionDetails.class);
    var arguments =
        new java.util.ArrayList<>(
            List.of(
                "--espalier.home=" + folder.resolve("home"),
                "--espalier.http.port=0",
                "--espalier.grpc.port=0",
                "--espalier.database.url=" + database.getJdbcUrl() + "?currentSchema=tls",
                "--espalier.database.user=" + database.getUsername(),
                "--espalier.database.password=" + database.getPassword(),
                "--espalier.tls.certificate=" + own.certificate(),
                "--espalier.tls.key=" + own.key()));
    arguments.addAll(List.of(more));
    return TunerServerApplication.start(
        List.of(ServerConfiguration.class, Doubles.class), arguments.toArray(String[]::new));
  }

  @Test
  void clientsThatTrustItsCertificateAreServedAndOthersLearnWhy() throws Exception {
    TestCertificate own = TestCertificate.ofLoopback(folder);
    TestCertificate other = TestCertificate.of(folder, "other", "ip:127.0.0.1");
    var sql = TestServer.get().bean(JdbcTemplate.class);
    try (ConfigurableApplicationContext server = start(own)) {
      String base = TunerServerApplication.dashboard(server);
      assertThat(base).startsWith("https://127.0.0.1:");
      Optional<String> token =
          Optional.of(Files.readString(folder.resolve("home").resolve("token")).strip());

      var client = new TunerClient(base, token, Optional.of(own.certificate()));
      assertThat(client.isReady()).isTrue();
      assertThat(client.get("/version").isObject()).isTrue();

      assertThatThrownBy(
              () -> new TunerClient(base, token, Optional.of(other.certificate())).get("/version"))
          .hasMessageContaining("signed by nobody who is trusted here")
          .hasMessageContaining("ESPALIER_CA");

      String plain = base.replace("https:", "http:");
      assertThatThrownBy(() -> new TunerClient(plain, token, Optional.empty()).get("/version"))
          .hasMessage("the server at " + plain + " encrypts; ask it by https://")
          .extracting(failure -> ((CommandFailure) failure).status())
          .isEqualTo(ExitStatus.UNREACHABLE);
    } finally {
      sql.execute("drop schema if exists tls cascade");
    }
  }

  @Test
  void clientsThatAskByAnotherNameThanTheCertificatesLearnThat() throws Exception {
    TestCertificate elsewhere = TestCertificate.of(folder, "elsewhere", "dns:elsewhere.example");
    var sql = TestServer.get().bean(JdbcTemplate.class);
    try (ConfigurableApplicationContext server = start(elsewhere)) {
      var client =
          new TunerClient(
              TunerServerApplication.dashboard(server),
              Optional.empty(),
              Optional.of(elsewhere.certificate()));
      assertThatThrownBy(() -> client.get("/version")).hasMessageContaining("is for another name");
    } finally {
      sql.execute("drop schema if exists tls cascade");
    }
  }

  @Test
  void filesThatCannotBeUsedAreNamed() throws Exception {
    TestCertificate own = TestCertificate.ofLoopback(folder);
    TestCertificate other = TestCertificate.of(folder, "other", "dns:other.example");

    refuses(
        new TestCertificate(folder.resolve("none"), own.key()),
        "tls.certificate names " + folder.resolve("none") + ", which cannot be read");
    refuses(new TestCertificate(own.certificate(), other.key()), "is not the key of the first");
    refuses(new TestCertificate(own.key(), own.key()), "which is no PEM file of that kind");
    refuses(
        new TestCertificate(own.certificate(), own.certificate()),
        "which is no PEM file of that kind");
    assertThatThrownBy(() -> new TunerProperties.Tls("a.pem", null))
        .isInstanceOf(EspalierException.class)
        .hasMessageContaining("must be given together");
  }

  private void refuses(TestCertificate files, String words) {
    assertThatThrownBy(() -> start(files))
        .isInstanceOf(EspalierException.class)
        .hasMessageContaining(words);
  }
}
