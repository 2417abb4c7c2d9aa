package dev.espalier.runtime.link;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.HostPort;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// The connection to a tuner, encrypted or not.
public final class TunerChannel {
  /// Environment variable that names a PEM file of the certificates to trust.
  public static final String TRUSTED = "ESPALIER_CA";

  private static final String ENCRYPTED = "https://";
  private static final String PLAIN = "http://";

  private TunerChannel() {}

  /// Opens a channel that connects when it is needed.
  ///
  /// @param address host:port; with `https://` before it the connection is encrypted, and the
  ///   certificate must be for that host
  /// @param trusted PEM file of the certificates to trust; empty for those that Java trusts
  /// @throws EspalierException `INVALID_REQUEST` when the file cannot be read
  public static ManagedChannel open(String address, Optional<Path> trusted) {
    boolean isEncrypted = address.startsWith(ENCRYPTED);
    String host =
        isEncrypted
            ? address.substring(ENCRYPTED.length())
            : address.startsWith(PLAIN) ? address.substring(PLAIN.length()) : address;
    ChannelCredentials credentials =
        isEncrypted ? encrypted(trusted) : InsecureChannelCredentials.create();
    HostPort place = HostPort.parse(host, isEncrypted ? 443 : 80);
    return NettyChannelBuilder.forAddress(place.host(), place.port(), credentials)
        .directExecutor()
        .maxInboundMessageSize(16 << 20)
        .keepAliveTime(10, TimeUnit.SECONDS)
        .keepAliveTimeout(10, TimeUnit.SECONDS)
        .build();
  }

  /// {@return why there is no connection; where it is known what to do, that}
  ///
  /// @param address that the channel was opened with
  public static String refusal(String address, Status status) {
    Throwable cause = status.getCause();
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String first = cause == null ? "" : String.valueOf(cause.getMessage());
    // Lines below the first name parts of the library.
    String description =
        Objects.requireNonNullElse(status.getDescription(), "").lines().findFirst().orElse("");
    boolean isEncrypted = address.startsWith(ENCRYPTED);
    if (first.contains("unable to find valid certification path")) {
      return "its certificate is signed by nobody who is trusted here; name a PEM file of who signed"
          + " it with "
          + TRUSTED;
    }
    if (isEncrypted && first.contains("not an SSL/TLS record")) {
      return "it does not encrypt; name it without " + ENCRYPTED;
    }
    if (!isEncrypted && description.contains("Network closed for unknown reason")) {
      return "it closed the connection at once; one with a certificate is named with " + ENCRYPTED;
    }
    return status.getCode()
        + (description.isEmpty() ? "" : " " + description)
        + (first.isEmpty() ? "" : ": " + first);
  }

  private static ChannelCredentials encrypted(Optional<Path> trusted) {
    if (trusted.isEmpty()) {
      return TlsChannelCredentials.create();
    }
    try {
      return TlsChannelCredentials.newBuilder().trustManager(trusted.get().toFile()).build();
    } catch (IOException failure) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          trusted.get() + ", the certificates to trust, cannot be read: " + failure.getMessage(),
          failure);
    }
  }
}
