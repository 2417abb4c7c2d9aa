package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.lang.reflect.RecordComponent;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringBootExceptionReporter;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/// Finds the one sentence behind a failed start, and keeps the framework from printing its own.
@Order(Ordered.HIGHEST_PRECEDENCE)
final class StartFailures implements SpringBootExceptionReporter {
  /// Called by the framework by name.
  StartFailures(@Nullable ConfigurableApplicationContext context) {}

  @Override
  public boolean reportException(Throwable failure) {
    return explain(failure).isPresent();
  }

  /// {@return the failure in words, or empty for one that nobody foresaw}
  static Optional<EspalierException> explain(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof EspalierException known) {
        return Optional.of(known);
      }
      if (cause instanceof UnboundConfigurationPropertiesException unbound) {
        return Optional.of(
            new EspalierException(
                ErrorCode.INVALID_REQUEST, unknown(unbound.getUnboundProperties()), failure));
      }
      if (cause instanceof BindException bind && bind.getProperty() != null) {
        Optional<EspalierException> within = explain(bind.getCause());
        return within.isPresent()
            ? within
            : Optional.of(new EspalierException(ErrorCode.INVALID_REQUEST, unfit(bind), failure));
      }
      if (cause instanceof PortInUseException port) {
        return Optional.of(
            new EspalierException(
                ErrorCode.PORT_IN_USE,
                "port " + port.getPort() + " is in use; choose another one with --http-port",
                failure));
      }
      if (cause instanceof SQLException refused && refused.getSQLState() != null) {
        return Optional.of(DatabaseFailures.explain("the database", refused));
      }
    }
    return Optional.empty();
  }

  private static String unfit(BindException bind) {
    Class<?> type = bind.getTarget().getType().resolve(Object.class);
    ConfigurationProperty property = bind.getProperty();
    Object value = property == null ? "" : property.getValue();
    return setting(bind.getName().toString())
        + " must be "
        + (type == int.class || type == long.class ? "a whole number" : "a " + type.getSimpleName())
        + " but is "
        + value;
  }

  private static String unknown(Set<ConfigurationProperty> properties) {
    var sentences = new ArrayList<String>();
    for (ConfigurationProperty property : properties) {
      String name = property.getName().toString();
      sentences.add(
          "there is no setting "
              + setting(name)
              + "; did you mean "
              + setting(nearest(name))
              + "?");
    }
    return String.join(" ", sentences);
  }

  /// {@return the name that documents and `--set` have for a property}
  private static String setting(String property) {
    return property.substring(property.indexOf('.') + 1);
  }

  private static String nearest(String name) {
    var known = new TreeSet<String>();
    collect("espalier", TunerProperties.class, known);
    return known.stream()
        .min(
            Comparator.comparing((String candidate) -> !candidate.startsWith(name))
                .thenComparingInt(candidate -> distance(name, candidate)))
        .orElse("espalier.home");
  }

  private static void collect(String prefix, Class<?> type, Set<String> names) {
    for (RecordComponent component : type.getRecordComponents()) {
      String name = prefix + "." + kebab(component.getName());
      if (component.getType().isRecord()) {
        collect(name, component.getType(), names);
      } else {
        names.add(name);
      }
    }
  }

  private static String kebab(String name) {
    return name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
  }

  /// {@return the edits (insert, delete, replace) between two texts}
  private static int distance(String left, String right) {
    List<Integer> row = new ArrayList<>();
    for (int j = 0; j <= right.length(); j++) {
      row.add(j);
    }
    for (int i = 1; i <= left.length(); i++) {
      int diagonal = row.getFirst();
      row.set(0, i);
      for (int j = 1; j <= right.length(); j++) {
        int replace = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
        diagonal = row.get(j);
        row.set(j, Math.min(replace, 1 + Math.min(row.get(j), row.get(j - 1))));
      }
    }
    return row.getLast();
  }
}
