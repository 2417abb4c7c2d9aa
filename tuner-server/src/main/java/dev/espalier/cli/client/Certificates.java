package dev.espalier.cli.client;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;

/// Which servers a client takes for those that they say they are.
public final class Certificates {
  /// Environment variable that names a PEM file of the certificates to trust.
  public static final String TRUSTED = "ESPALIER_CA";

  private Certificates() {}

  /// {@return what trusts the certificates of a PEM file, and no others}
  ///
  /// @throws CommandFailure `USAGE` when there are none in it
  static SSLContext trusting(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      Collection<? extends Certificate> certificates =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (certificates.isEmpty()) {
        throw new CommandFailure(ExitStatus.USAGE, TRUSTED + " names " + file + ", which is empty");
      }
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int number = 0;
      for (Certificate certificate : certificates) {
        store.setCertificateEntry("trusted-" + number++, certificate);
      }
      var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new CommandFailure(
          ExitStatus.USAGE, TRUSTED + " must name a PEM file of certificates but names " + file, e);
    }
  }

  /// {@return why there is no encrypted connection, one sentence}
  static String refusal(URI server, SSLException failure) {
    Throwable first = failure;
    while (first.getCause() != null) {
      first = first.getCause();
    }
    String reason = String.valueOf(first.getMessage());
    if (first instanceof CertificateExpiredException) {
      return "the certificate of " + server + " has expired: " + reason;
    }
    if (reason.contains("unable to find valid certification path")) {
      return "the certificate of "
          + server
          + " is signed by nobody who is trusted here; name a PEM file of who signed it with "
          + TRUSTED;
    }
    if (reason.contains("No subject alternative") || reason.contains("No name matching")) {
      return "the certificate of " + server + " is for another name: " + reason;
    }
    if (reason.contains("Unsupported or unrecognized SSL message")) {
      return "the server at " + server + " does not encrypt; ask it by http://";
    }
    return "no encrypted connection to " + server + ": " + reason;
  }
}
