package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Everything that can be set about a server, under `espalier`.
///
/// Each may be given as `--espalier.http.port=8080` or as an environment variable such as
/// `ESPALIER_HTTP_PORT`. A key that does not exist is an error.
///
/// @param home folder of everything the server keeps; default `~/.espalier`
/// @param http the REST interface and the web page
/// @param grpc the channel of the workers
/// @param tls encrypts both, where it is given
/// @param database an outside database; without a URL the server runs its own
/// @param dataRoots folders that jobs may read data from; default `<home>/data`
/// @param programsDir folder of jars with programs; default `<home>/programs`
/// @param workerJavaOptions options of the Java processes of workers
/// @param maxJobsRunning jobs that run at the same time; others wait, 1 to 1000
/// @param leaveJobs whether to start although jobs have not ended that another version of their
///   policy has begun: they stay as they are, and can only be ended
/// @param newToken whether to make another token, in the place of the first one's file
@ConfigurationProperties(prefix = "espalier", ignoreUnknownFields = false)
public record TunerProperties(
    String home,
    @DefaultValue Http http,
    @DefaultValue Grpc grpc,
    @DefaultValue Tls tls,
    @DefaultValue Database database,
    @DefaultValue List<String> dataRoots,
    @Nullable String programsDir,
    @DefaultValue List<String> workerJavaOptions,
    @DefaultValue("4") int maxJobsRunning,
    @DefaultValue("false") boolean leaveJobs,
    @DefaultValue("false") boolean newToken) {
  public TunerProperties {
    dataRoots = List.copyOf(dataRoots);
    workerJavaOptions = List.copyOf(workerJavaOptions);
    requireWithin("max-jobs-running", maxJobsRunning, 1, 1000);
  }

  /// {@return the folder of everything the server keeps}
  public Path homeFolder() {
    return Path.of(home);
  }

  /// {@return folders that jobs may read data from, at least one}
  public List<Path> dataFolders() {
    return dataRoots.isEmpty()
        ? List.of(homeFolder().resolve("data"))
        : dataRoots.stream().map(Path::of).toList();
  }

  /// {@return the folder of jars with programs}
  public Path programsFolder() {
    return programsDir == null ? homeFolder().resolve("programs") : Path.of(programsDir);
  }

  /// The REST interface and the web page.
  ///
  /// @param port 0 for any free one
  /// @param hosts names that browsers may use for this server besides loopback and `address`
  /// @param postsPerSecond requests with POST, PUT, PATCH or DELETE that one token may send
  /// @param postBurst how many of these may come at once
  /// @param failuresPerMinute wrong tokens that one address may send
  /// @param forwardedHeaders `native` to believe what a proxy on a private address says of the
  ///   client's address and scheme (`X-Forwarded-For`, `X-Forwarded-Proto`), `none` not to
  public record Http(
      @DefaultValue("127.0.0.1") String address,
      @DefaultValue("7070") int port,
      @DefaultValue List<String> hosts,
      @DefaultValue("20") int postsPerSecond,
      @DefaultValue("60") int postBurst,
      @DefaultValue("30") int failuresPerMinute,
      @DefaultValue("none") ForwardedHeaders forwardedHeaders) {
    /// Whose word counts about where a request comes from.
    public enum ForwardedHeaders {
      NONE,
      NATIVE
    }

    public Http {
      hosts = List.copyOf(hosts);
      requireWithin("http.port", port, 0, 65535);
      requireWithin("http.posts-per-second", postsPerSecond, 1, 100_000);
      requireWithin("http.post-burst", postBurst, 1, 100_000);
      requireWithin("http.failures-per-minute", failuresPerMinute, 1, 100_000);
    }
  }

  /// The channel of the workers.
  ///
  /// @param port 0 for any free one
  /// @param localPort of workers of this machine where `port` is encrypted; 0 for any free one
  public record Grpc(
      @DefaultValue("127.0.0.1") String address,
      @DefaultValue("7071") int port,
      @DefaultValue("7072") int localPort) {
    public Grpc {
      requireWithin("grpc.port", port, 0, 65535);
      requireWithin("grpc.local-port", localPort, 0, 65535);
    }
  }

  /// Whether and with what connections are encrypted.
  ///
  /// @param certificate PEM file of the server's certificate and those that lead to its root; null
  ///   for none
  /// @param key PEM file of its private key
  public record Tls(@Nullable String certificate, @Nullable String key) {
    public Tls {
      if ((certificate == null) != (key == null)) {
        throw new EspalierException(
            ErrorCode.INVALID_REQUEST, "tls.certificate and tls.key must be given together");
      }
    }

    boolean isOn() {
      return certificate != null;
    }

    Path certificateFile() {
      return file(certificate);
    }

    Path keyFile() {
      return file(key);
    }

    private static Path file(@Nullable String name) {
      return Path.of(Objects.requireNonNull(name, "no TLS")).toAbsolutePath();
    }
  }

  /// {@return whether what workers say is encrypted: where it leaves this machine}
  boolean encryptsWorkers() {
    return tls.isOn() && !Preflight.isLoopback(grpc.address());
  }

  /// An outside PostgreSQL.
  ///
  /// @param url JDBC URL, such as `jdbc:postgresql://db/espalier`; null for the embedded server
  public record Database(@Nullable String url, @Nullable String user, @Nullable String password) {
    /// Leaves the password out.
    @Override
    public String toString() {
      return "Database[url=" + url + ", user=" + user + "]";
    }
  }

  private static void requireWithin(String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          name + " must lie in [" + min + ", " + max + "] but is " + value);
    }
  }
}
