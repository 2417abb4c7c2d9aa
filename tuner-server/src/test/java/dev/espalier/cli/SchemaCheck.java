package dev.espalier.cli;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Checks documents against the part of JSON Schema that the schema of job files uses.
final class SchemaCheck {
  private final JsonNode root;

  SchemaCheck(JsonNode root) {
    this.root = root;
  }

  List<String> problems(JsonNode document) {
    var problems = new ArrayList<String>();
    check("", root, document, problems);
    return problems;
  }

  private void check(String at, JsonNode schema, JsonNode value, List<String> problems) {
    if (schema.has("$ref")) {
      String pointer = schema.path("$ref").asString().substring(1);
      check(at, root.at(pointer), value, problems);
    }
    if (schema.has("type") && !hasType(schema.path("type"), value)) {
      problems.add(at + " must be of type " + schema.path("type"));
      return;
    }
    if (schema.has("enum") && schema.path("enum").valueStream().noneMatch(value::equals)) {
      problems.add(at + " must be one of " + schema.path("enum"));
    }
    if (schema.has("const") && !schema.path("const").equals(value)) {
      problems.add(at + " must be " + schema.path("const"));
    }
    if (schema.has("anyOf")
        && schema.path("anyOf").valueStream().noneMatch(one -> matches(one, value))) {
      problems.add(at + " matches nothing of " + schema.path("anyOf"));
    }
    if (value.isNumber()) {
      number(at, schema, value.asDouble(), problems);
    }
    if (value.isString()
        && schema.has("pattern")
        && !value.asString().matches(schema.path("pattern").asString())) {
      problems.add(at + " must match " + schema.path("pattern"));
    }
    if (value.isArray()) {
      value.forEach(element -> check(at + "/-", schema.path("items"), element, problems));
    }
    if (value.isObject()) {
      object(at, schema, value, problems);
    }
  }

  private boolean matches(JsonNode schema, JsonNode value) {
    var problems = new ArrayList<String>();
    check("", schema, value, problems);
    return problems.isEmpty();
  }

  private static void number(String at, JsonNode schema, double value, List<String> problems) {
    if (value < schema.path("minimum").asDouble(Double.NEGATIVE_INFINITY)
        || value > schema.path("maximum").asDouble(Double.POSITIVE_INFINITY)
        || value <= schema.path("exclusiveMinimum").asDouble(Double.NEGATIVE_INFINITY)) {
      problems.add(at + " is out of bounds: " + value);
    }
  }

  private void object(String at, JsonNode schema, JsonNode value, List<String> problems) {
    schema
        .path("required")
        .forEach(name -> {
          if (!value.has(name.asString())) {
            problems.add(at + " needs " + name);
          }
        });
    JsonNode others = schema.path("additionalProperties");
    value
        .properties()
        .forEach(entry -> {
          String below = at + "/" + entry.getKey();
          JsonNode named = schema.path("properties").path(entry.getKey());
          if (!named.isMissingNode()) {
            check(below, named, entry.getValue(), problems);
          } else if (others.isObject()) {
            check(below, others, entry.getValue(), problems);
          } else if (others.isBoolean() && !others.asBoolean()) {
            problems.add(below + " is unknown");
          }
        });
  }

  private static boolean hasType(JsonNode type, JsonNode value) {
    if (type.isArray()) {
      return type.valueStream().anyMatch(one -> hasType(one, value));
    }
    return switch (type.asString()) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isString();
      case "boolean" -> value.isBoolean();
      case "integer" -> value.isNumber() && value.asDouble() == Math.rint(value.asDouble());
      default -> value.isNumber();
    };
  }
}
