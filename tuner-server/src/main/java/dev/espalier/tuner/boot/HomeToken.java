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

/// Makes the token that lies in the home, before the port opens: the first one of a new server, or
/// another one for who has lost theirs.
final class HomeToken implements SmartInitializingSingleton {
  private final TokenStore tokens;
  private final Path file;
  private final PrintStream out;
  private final boolean isTerminal;
  private final boolean isWished;

  /// @param isTerminal whether a person reads `out`: what is redirected stays, and a token must not
  /// @param isWished whether to make one though there are some
  HomeToken(TokenStore tokens, Path file, PrintStream out, boolean isTerminal, boolean isWished) {
    this.tokens = tokens;
    this.file = file;
    this.out = out;
    this.isTerminal = isTerminal;
    this.isWished = isWished;
  }

  @Override
  public void afterSingletonsInstantiated() {
    boolean isFirst = tokens.tokens().isEmpty();
    if (!isFirst && !isWished) {
      return;
    }
    TokenSecret secret = TokenSecret.random();
    // The file first: a token that is in the database but nowhere else could never be used.
    write(secret);
    String which = isFirst ? "first" : "new";
    tokens.create(which, secret.sha256());
    if (isTerminal) {
      out.println("The " + which + " token of this server, also in " + file + ":");
      out.println(secret.text());
    } else {
      out.println("The " + which + " token of this server is in " + file);
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
