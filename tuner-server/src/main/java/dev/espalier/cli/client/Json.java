package dev.espalier.cli.client;

import dev.espalier.tuner.document.YamlText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// Documents as text: JSON and YAML.
public final class Json {
  private static final int MAX_CHARACTERS = 1_000_000;
  private static final int MAX_DEPTH = 20;
  private static final int MAX_ALIASES = 20;
  // A newer server may add fields or leave one out that an older command line knows.
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  private Json() {}

  /// {@return the tree of a JSON text}
  ///
  /// @throws CommandFailure `INTERNAL` when it is none
  public static JsonNode parse(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JacksonException e) {
      throw new CommandFailure(
          ExitStatus.INTERNAL, "the server's answer is not JSON: " + start(text), e);
    }
  }

  /// {@return a tree as a record of the API}
  public static <T> T as(JsonNode tree, Class<T> type) {
    try {
      return MAPPER.treeToValue(tree, type);
    } catch (JacksonException e) {
      throw new CommandFailure(
          ExitStatus.INTERNAL,
          "the server's answer is no " + type.getSimpleName() + ": " + start(tree.toString()),
          e);
    }
  }

  /// {@return a record, map or list as a tree}
  public static JsonNode tree(Object value) {
    return MAPPER.valueToTree(value);
  }

  /// {@return maps, lists, texts, numbers and booleans}
  public static Object plain(JsonNode tree) {
    return Objects.requireNonNullElse(MAPPER.treeToValue(tree, Object.class), "null");
  }

  /// {@return indented JSON}
  public static String write(JsonNode tree) {
    return MAPPER.writeValueAsString(tree);
  }

  /// {@return YAML in block style}
  public static String yaml(JsonNode tree) {
    return YamlText.write(plain(tree));
  }

  /// {@return the mapping of a YAML or JSON text}
  ///
  /// @param name of the file, for messages
  /// @throws CommandFailure `INVALID_JOB` with line and column when it is none
  public static Map<String, Object> readDocument(String name, String text) {
    Object document;
    try {
      document = YamlText.read(text, MAX_CHARACTERS, MAX_DEPTH, MAX_ALIASES);
    } catch (MarkedYAMLException e) {
      var mark = e.getProblemMark();
      String at = mark == null ? "" : ":" + (mark.getLine() + 1) + ":" + (mark.getColumn() + 1);
      throw new CommandFailure(ExitStatus.INVALID_JOB, name + at + ": " + e.getProblem(), e);
    } catch (YAMLException e) {
      throw new CommandFailure(ExitStatus.INVALID_JOB, name + ": " + e.getMessage(), e);
    }
    if (!(document instanceof Map<?, ?> map)) {
      throw new CommandFailure(
          ExitStatus.INVALID_JOB,
          name
              + ": a job file must be a mapping of names to values, but is "
              + (document == null ? "empty" : start(document.toString())));
    }
    return new Copy(name).of(map);
  }

  /// Copies what YAML may hold to what JSON can.
  private static final class Copy {
    private final String name;

    /// What is being copied: an alias may lead back to it.
    private final Set<Object> around = Collections.newSetFromMap(new IdentityHashMap<>());

    /// @param name of the file, for messages
    Copy(String name) {
      this.name = name;
    }

    Map<String, Object> of(Map<?, ?> map) {
      enter(map);
      var copy = new LinkedHashMap<String, Object>();
      map.forEach((key, value) -> {
        Object plain = plainOf(value);
        if (plain != null) {
          copy.put(String.valueOf(key), plain);
        }
      });
      around.remove(map);
      return copy;
    }

    private List<@Nullable Object> of(List<?> list) {
      enter(list);
      var copy = new ArrayList<@Nullable Object>();
      list.forEach(element -> copy.add(plainOf(element)));
      around.remove(list);
      return copy;
    }

    private void enter(Object collection) {
      if (!around.add(collection)) {
        throw new CommandFailure(
            ExitStatus.INVALID_JOB, name + ": an alias must not stand for what it is a part of");
      }
    }

    private @Nullable Object plainOf(@Nullable Object value) {
      return switch (value) {
        case Map<?, ?> map -> of(map);
        case List<?> list -> of(list);
        case Date date -> date.toInstant().toString();
        case byte[] bytes -> "binary of " + bytes.length + " bytes";
        case null -> null;
        default -> value;
      };
    }
  }

  private static String start(String text) {
    String line = text.strip().replaceAll("\\s+", " ");
    return line.length() <= 120 ? line : line.substring(0, 120) + "...";
  }
}
