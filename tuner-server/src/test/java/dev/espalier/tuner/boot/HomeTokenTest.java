package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.app.port.TokenStore;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HomeTokenTest {
  private final TestServer server = TestServer.get();
  private final TokenStore tokens = server.bean(TokenStore.class);

  @TempDir Path folder;

  @Test
  void whoHasLostTheirTokenGetsAnother() throws Exception {
    String said = start(true);

    Path file = folder.resolve("token");
    String token = Files.readString(file).strip();
    assertThat(said).isEqualTo("The new token of this server is in " + file + "\n");
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(
            server
                .send(server.anonymous("/api/v1/jobs").header("Authorization", "Bearer " + token))
                .status())
        .isEqualTo(200);
  }

  @Test
  void otherStartsMakeNone() {
    int before = tokens.tokens().size();

    assertThat(start(false)).isEmpty();
    assertThat(tokens.tokens()).hasSize(before);
    assertThat(folder.resolve("token")).doesNotExist();
  }

  private String start(boolean isWished) {
    var said = new ByteArrayOutputStream();
    new HomeToken(
            tokens,
            folder.resolve("token"),
            new PrintStream(said, true, StandardCharsets.UTF_8),
            false,
            isWished)
        .afterSingletonsInstantiated();
    return said.toString(StandardCharsets.UTF_8);
  }
}
