package dev.espalier.tuner.boot;

import dev.espalier.tuner.app.port.TokenStore;
import dev.espalier.tuner.rest.TokenSecret;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.springframework.beans.factory.SmartInitializingSingleton;

/// Makes the first token of a new server, before its port opens.
final class FirstToken implements SmartInitializingSingleton {
  private final TokenStore tokens;
  private final Path file;
  private final PrintStream out;
  private final boolean isTerminal;

  /// @param isTerminal whether a person reads `out`: what is redirected stays, and a token must not
  FirstToken(TokenStore tokens, Path file, PrintStream out, boolean isTerminal) {
    this.tokens = tokens;
    this.file = file;
    this.out = out;
    this.isTerminal = isTerminal;
  }

  @Override
  public void afterSingletonsInstantiated() {
    if (!tokens.tokens().isEmpty()) {
      return;
    }
    TokenSecret secret = TokenSecret.random();
    // The file first: a token that is in the database but nowhere else could never be used.
    write(secret);
    tokens.create("first", secret.sha256());
    if (isTerminal) {
      out.println("First token of this server, also in " + file + ":");
      out.println(secret.text());
    } else {
      out.println("The first token of this server is in " + file);
    }
    out.flush();
  }

  private void write(TokenSecret secret) {
    try {
      Path fresh =
          Files.createTempFile(
              file.toAbsolutePath().getParent(),
              ".token",
              null,
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(fresh, secret.text() + "\n");
      Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }
}
