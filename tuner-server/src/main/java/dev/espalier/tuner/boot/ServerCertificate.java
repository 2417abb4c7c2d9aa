package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.ssl.pem.PemContent;

/// The certificate that a server shows, and its key, both in PEM files.
final class ServerCertificate {
  private static final Logger LOG = LoggerFactory.getLogger(ServerCertificate.class);

  private ServerCertificate() {}

  /// Looks whether the two can be used. One that has expired is used all the same, for jobs must go
  /// on: the log and the health of the server say so.
  ///
  /// @throws EspalierException one sentence that names the setting and the file
  static void require(TunerProperties.Tls tls) {
    List<X509Certificate> chain =
        read("tls.certificate", tls.certificateFile(), PemContent::getCertificates);
    PrivateKey key = read("tls.key", tls.keyFile(), PemContent::getPrivateKey);
    X509Certificate own = chain.getFirst();
    if (!belongTogether(own, key)) {
      throw unfit(
          "tls.key",
          tls.keyFile(),
          "is not the key of the first certificate in " + tls.certificateFile());
    }
    if (own.getNotAfter().toInstant().isBefore(Instant.now())) {
      LOG.error(
          "event=certificate-expired file={} at={} clients will refuse it",
          tls.certificateFile(),
          own.getNotAfter().toInstant());
    }
  }

  /// {@return settings of the web server that lead to the two files, which it reads anew when they
  /// change}
  static Map<String, Object> webServerSettings(TunerProperties.Tls tls) {
    String bundle = "spring.ssl.bundle.pem.espalier.";
    return Map.of(
        bundle + "keystore.certificate",
        tls.certificateFile().toUri().toString(),
        bundle + "keystore.private-key",
        tls.keyFile().toUri().toString(),
        bundle + "reload-on-update",
        true,
        "server.ssl.bundle",
        "espalier");
  }

  private static <T> T read(String name, Path file, Function<PemContent, @Nullable T> content) {
    if (!Files.isReadable(file)) {
      throw unfit(name, file, "cannot be read");
    }
    try {
      T found = content.apply(PemContent.load(file));
      if (found == null) {
        throw new IllegalStateException("nothing in it");
      }
      return found;
    } catch (IOException | RuntimeException e) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          name + " names " + file + ", which is no PEM file of that kind: " + e.getMessage(),
          e);
    }
  }

  private static EspalierException unfit(String name, Path file, String what) {
    return new EspalierException(
        ErrorCode.INVALID_REQUEST, name + " names " + file + ", which " + what);
  }

  /// What the key signs, the certificate must confirm.
  private static boolean belongTogether(X509Certificate certificate, PrivateKey key) {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> key.getAlgorithm();
        };
    byte[] text = {1, 2, 3};
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(text);
      byte[] signed = signature.sign();
      signature.initVerify(certificate.getPublicKey());
      signature.update(text);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
