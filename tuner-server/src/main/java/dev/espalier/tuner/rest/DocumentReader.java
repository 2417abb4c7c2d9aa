package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.document.YamlText;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.yaml.snakeyaml.error.YAMLException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// Reads a job file as it was sent, in YAML or JSON, into maps, lists, texts and numbers.
final class DocumentReader {
  static final String YAML = "application/yaml";
  static final String X_YAML = "application/x-yaml";
  static final String TEXT_YAML = "text/yaml";

  private static final int MAX_ALIASES = 20;
  private static final int MAX_DEPTH = 30;
  private static final TypeReference<LinkedHashMap<String, @Nullable Object>> TREE =
      new TypeReference<>() {};

  private final JsonMapper json =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /// {@return the document in `body`}
  ///
  /// @throws EspalierException `INVALID_REQUEST` with line and column when it cannot be parsed
  Map<String, @Nullable Object> read(byte[] body, @Nullable MediaType type) {
    return type != null && type.getSubtype().contains("yaml") ? yaml(body) : json(body);
  }

  private Map<String, @Nullable Object> json(byte[] body) {
    try {
      Map<String, @Nullable Object> document = json.readValue(body, TREE);
      if (document == null) {
        throw invalid("the body must be a JSON object but is null");
      }
      return document;
    } catch (JacksonException e) {
      var place = e.getLocation();
      throw invalid(
          "the body is not a JSON object: "
              + withoutSource(e.getOriginalMessage())
              + (place == null
                  ? ""
                  : " (line " + place.getLineNr() + ", column " + place.getColumnNr() + ")"));
    }
  }

  /// The parser names a place of its own in its words, which says that it will not name the body.
  private static String withoutSource(String message) {
    return message.replaceAll(" ?\\([^()]*\\[Source: .*?\\]\\)", "");
  }

  private static Map<String, @Nullable Object> yaml(byte[] body) {
    try {
      Object document =
          YamlText.read(
              new String(body, StandardCharsets.UTF_8),
              UnsafeRequestFilter.MAX_BODY_BYTES,
              MAX_DEPTH,
              MAX_ALIASES);
      if (!(document instanceof Map<?, ?> map)) {
        throw invalid("the body must be a YAML mapping but is " + kind(document));
      }
      var tree = new LinkedHashMap<String, @Nullable Object>();
      map.forEach((key, value) -> {
        // A mapping or list may stand for more than the memory holds.
        if (key instanceof Map || key instanceof Collection) {
          throw invalid("keys must be texts, but one of the body is a mapping or a list");
        }
        tree.put(String.valueOf(key), value);
      });
      return tree;
    } catch (YAMLException e) {
      throw invalid("the body is not YAML: " + e.getMessage());
    }
  }

  private static String kind(@Nullable Object document) {
    return document == null ? "empty" : "a " + document.getClass().getSimpleName();
  }

  private static EspalierException invalid(String message) {
    return new EspalierException(ErrorCode.INVALID_REQUEST, message);
  }
}
