package dev.espalier.tuner.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.error.YAMLException;

final class YamlTextTest {
  private static @Nullable Object read(String text) {
    return YamlText.read(text, 1000, 5, 2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"1:30", "no", "on", "Yes", "off", "2024-01-01", "1_000", "0b11", "=", "1e", "10m"})
  void plainWordsAreTexts(String word) {
    assertThat(read("value: " + word)).isEqualTo(Map.of("value", word));
  }

  @Test
  void numbersAreThoseOfTheCoreSchema() {
    assertThat(read("[010, -7, +3, 0o17, 0x1F, 3000000000, 1.5, .5, 1., 1e-4, -2E3, -.inf]"))
        .isEqualTo(
            List.of(
                10,
                -7,
                3,
                15,
                31,
                3_000_000_000L,
                1.5,
                0.5,
                1.0,
                1e-4,
                -2000.0,
                Double.NEGATIVE_INFINITY));
  }

  @Test
  void truthAndNothing() {
    assertThat(read("[true, False, null, ~, 'true', \"~\"]"))
        .isEqualTo(Arrays.asList(true, false, null, null, "true", "~"));
    assertThat(read("value:")).asString().isEqualTo("{value=null}");
    assertThat(read("")).isNull();
  }

  @Test
  void mergeKeysAreRead() {
    assertThat(read("a: &a {x: 1}\nb: {<<: *a, y: 2}"))
        .isEqualTo(Map.of("a", Map.of("x", 1), "b", Map.of("x", 1, "y", 2)));
  }

  @Test
  void whatIsWrittenIsReadBack() {
    var texts =
        List.of(
            "no",
            "1:30",
            "010",
            "0o17",
            "-08",
            "+09",
            "08",
            "~",
            "<<",
            ".5",
            "12e3",
            "1.0E-4",
            "2024-01-01",
            "true",
            "",
            "1_000",
            "two\nlines");
    Map<String, Object> document = Map.of("texts", texts, "010", List.of(1, 1.5, true, 1e-4));

    assertThat(read(YamlText.write(document))).isEqualTo(document);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "!!int abc",
        "a: 1\na: 2",
        "[[[[[[1]]]]]]",
        "a: &a [1]\nb: [*a, *a, *a]",
        "!!javax.script.ScriptEngineManager []",
        "a: [1"
      })
  void whatIsNotAllowedIsRefused(String text) {
    assertThatThrownBy(() -> read(text)).isInstanceOf(YAMLException.class);
  }
}
