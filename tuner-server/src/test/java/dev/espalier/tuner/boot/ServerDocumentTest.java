package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// `docs/SERVER.md` names every setting of a server, with its default.
final class ServerDocumentTest {
  private static final Pattern ROW = Pattern.compile("\\| `([a-z.-]+)` \\| (.*?) \\|.*");

  private static Stream<Map.Entry<String, RecordComponent>> settings(String prefix, Class<?> type) {
    return Stream.of(type.getRecordComponents())
        .flatMap(component -> {
          String key =
              prefix + component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
          return component.getType().isRecord()
              ? settings(key + ".", component.getType())
              : Stream.of(Map.entry(key, component));
        });
  }

  @Test
  void everySettingStandsInTheDocument() throws IOException {
    Path file = Path.of(System.getProperty("espalier.home.dist"), "docs", "SERVER.md");
    var rows = new TreeMap<String, String>();
    for (String line : Files.readAllLines(file)) {
      var row = ROW.matcher(line);
      if (row.matches()) {
        rows.put(row.group(1), row.group(2));
      }
    }
    List<Map.Entry<String, RecordComponent>> settings =
        settings("", TunerProperties.class).toList();

    assertThat(rows.keySet())
        .containsExactlyInAnyOrderElementsOf(settings.stream().map(Map.Entry::getKey).toList());
    for (Map.Entry<String, RecordComponent> setting : settings) {
      DefaultValue value = annotation(setting.getValue());
      if (value != null && value.value().length == 1) {
        assertThat(rows.get(setting.getKey())).contains("`" + value.value()[0] + "`");
      }
    }
  }

  /// Of the constructor's parameter of that name: the annotation is not kept at components.
  private static @Nullable DefaultValue annotation(RecordComponent component) {
    for (var parameter :
        component.getDeclaringRecord().getDeclaredConstructors()[0].getParameters()) {
      if (parameter.getName().equals(component.getName())) {
        return parameter.getAnnotation(DefaultValue.class);
      }
    }
    return null;
  }
}
