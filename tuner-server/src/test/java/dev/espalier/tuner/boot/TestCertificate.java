package dev.espalier.tuner.boot;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// A certificate that signs itself, and its key, in PEM files; made by the JDK's own tool.
///
/// @param certificate also what clients are to trust
public record TestCertificate(Path certificate, Path key) {
  private static final char[] PASSWORD = "changeit".toCharArray();

  /// {@return one for this machine's loopback, valid from now on}
  public static TestCertificate ofLoopback(Path folder) throws Exception {
    return of(folder, "loopback", "ip:127.0.0.1,dns:localhost");
  }

  /// {@return one for the names given}
  ///
  /// @param name of its files
  /// @param names such as `dns:train.example.org`
  /// @param more options of the tool
  public static TestCertificate of(Path folder, String name, String names, String... more)
      throws Exception {
    Path store = folder.resolve(name + ".p12");
    var line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "own",
                "-keyalg",
                "EC",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=" + names,
                "-keystore",
                store.toString(),
                "-storepass",
                new String(PASSWORD)));
    line.addAll(List.of(more));
    Process tool = new ProcessBuilder(line).redirectErrorStream(true).start();
    String output = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (tool.waitFor() != 0) {
      throw new IllegalStateException(output);
    }
    return unpack(folder, name, store);
  }

  private static TestCertificate unpack(Path folder, String name, Path store)
      throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD);
    }
    return new TestCertificate(
        write(
            folder.resolve(name + ".crt"), "CERTIFICATE", keys.getCertificate("own").getEncoded()),
        write(
            folder.resolve(name + ".key"),
            "PRIVATE KEY",
            keys.getKey("own", PASSWORD).getEncoded()));
  }

  private static Path write(Path file, String kind, byte[] content) throws IOException {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    return Files.writeString(
        file, "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n");
  }
}
