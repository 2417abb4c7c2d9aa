package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.UnboundElementsSourceFilter;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.Environment;
import org.springframework.core.env.MapPropertySource;

/// Looks for what would keep the server from starting, before it starts, so that each is told in
/// one sentence.
final class Preflight implements ApplicationContextInitializer<ConfigurableApplicationContext> {
  @Override
  public void initialize(ConfigurableApplicationContext context) {
    TunerProperties properties = properties(context.getEnvironment());
    TunerProperties.Grpc grpc = properties.grpc();
    requireFree("http", properties.http().address(), properties.http().port(), "--http-port");
    requireFree("grpc", grpc.address(), grpc.port(), "--grpc-port");
    if (properties.encryptsWorkers()) {
      requireFree("grpc", LOOPBACK, grpc.localPort(), "--set grpc.local-port");
    }
    if (properties.tls().isOn()) {
      ServerCertificate.require(properties.tls());
      context
          .getEnvironment()
          .getPropertySources()
          .addFirst(
              new MapPropertySource("tls", ServerCertificate.webServerSettings(properties.tls())));
    }
    TunerProperties.Database database = properties.database();
    if (database.url() != null) {
      requireDatabase(database.url(), database.user(), database.password());
    }
  }

  private static final Bindable<TunerProperties> TUNER = Bindable.of(TunerProperties.class);

  /// {@return the settings, before the framework binds them}
  static TunerProperties properties(Environment environment) {
    // The framework finds keys that do not exist only after it has started a web server.
    var strict =
        new NoUnboundElementsBindHandler(BindHandler.DEFAULT, new UnboundElementsSourceFilter());
    return Binder.get(environment).bindOrCreate("espalier", TUNER, strict);
  }

  /// Where workers of this machine reach a server that encrypts what leaves it.
  static final String LOOPBACK = "127.0.0.1";

  /// {@return where this machine reaches what listens at an address: by loopback what listens
  /// everywhere}
  static String fromHere(String address) {
    // What listens on all addresses of IPv6 listens on those of IPv4, too, and some machines have
    // no loopback but that.
    return isOf(address, InetAddress::isAnyLocalAddress) ? LOOPBACK : address;
  }

  /// {@return whether an address is reached from this machine alone}
  static boolean isLoopback(String address) {
    return isOf(address, InetAddress::isLoopbackAddress);
  }

  private static boolean isOf(String address, Predicate<InetAddress> kind) {
    try {
      return kind.test(InetAddress.getByName(address));
    } catch (UnknownHostException _) {
      return false;
    }
  }

  private static void requireFree(String part, String address, int port, String option) {
    InetAddress host;
    try {
      host = InetAddress.getByName(address);
    } catch (UnknownHostException e) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          part + ".address is " + address + ", which is no address of this machine",
          e);
    }
    if (port == 0) {
      return;
    }
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(host, port));
    } catch (IOException e) {
      throw new EspalierException(
          ErrorCode.PORT_IN_USE,
          "port "
              + port
              + " on "
              + address
              + " cannot be used ("
              + e.getMessage()
              + "); choose another one with "
              + option,
          e);
    }
  }

  /// {@return why a database cannot be used, one sentence; empty when it answers}
  static Optional<String> databaseProblem(
      String url, @Nullable String user, @Nullable String password) {
    try {
      requireDatabase(url, user, password);
      return Optional.empty();
    } catch (EspalierException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private static void requireDatabase(
      String url, @Nullable String user, @Nullable String password) {
    if (!url.startsWith("jdbc:postgresql:")) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          "ESPALIER_DATABASE_URL must start with jdbc:postgresql: but is " + withoutQuery(url));
    }
    var properties = new Properties();
    if (user != null) {
      properties.setProperty("user", user);
    }
    if (password != null) {
      properties.setProperty("password", password);
    }
    properties.setProperty("connectTimeout", "5");
    properties.setProperty("loginTimeout", "5");
    try (var connection = DriverManager.getConnection(url, properties)) {
      requireWritable(url, connection);
    } catch (SQLException e) {
      throw unusable(url, e);
    }
  }

  /// A standby answers as well as its primary, until something is to be kept.
  private static void requireWritable(String url, Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var answer = statement.executeQuery("show transaction_read_only")) {
      if (answer.next() && answer.getString(1).equals("on")) {
        throw new EspalierException(
            ErrorCode.DATABASE_AWAY,
            "the database at "
                + withoutQuery(url)
                + " is read-only: is it a standby? Name the primary with ESPALIER_DATABASE_URL");
      }
    }
  }

  /// {@return what to say of a database that cannot be used, one sentence}
  static EspalierException unusable(String url, SQLException failure) {
    return DatabaseFailures.explain("the database at " + withoutQuery(url), failure);
  }

  /// The query of a JDBC URL may hold a password.
  static String withoutQuery(String url) {
    int query = url.indexOf('?');
    return query < 0 ? url : url.substring(0, query);
  }
}
