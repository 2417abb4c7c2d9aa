package dev.espalier.api.rest;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Reads the arguments of a program into the text forms of their types.
final class ArgumentReader {
  private static final int MAX_LIST = 64;
  private static final int MAX_TEXT = 200;

  private final Section section;

  ArgumentReader(Section section) {
    this.section = section;
  }

  /// {@return a value for every argument of `program`}
  Map<String, String> read(ProgramDescriptor program) {
    var arguments = new TreeMap<String, String>();
    for (Argument argument : program.arguments()) {
      String value =
          section
              .raw(argument.name())
              .flatMap(raw -> textOf(argument, raw))
              .orElse(argument.defaultValue());
      arguments.put(argument.name(), value);
    }
    section.rejectUnknownKeys();
    return arguments;
  }

  /// {@return all arguments as texts, for a program that nobody can check them against}
  Map<String, String> readUnchecked() {
    return section.keys().stream()
        .filter(section::has)
        .collect(
            Collectors.toMap(key -> key, key -> Section.shown(section.raw(key).orElseThrow())));
  }

  private Optional<String> textOf(Argument argument, Object raw) {
    return switch (argument.type()) {
      case INTEGER -> number(argument, raw, true);
      case DECIMAL -> number(argument, raw, false);
      case CHOICE -> section.word(argument.name(), argument.choices());
      case INTEGER_LIST -> integers(argument, raw);
      case TEXT -> text(argument, raw);
    };
  }

  private Optional<String> number(Argument argument, Object raw, boolean whole) {
    String name = argument.name();
    Optional<Double> number = Section.finite(raw);
    if (number.isEmpty() || whole && number.get() != Math.rint(number.get())) {
      section.wrong(
          name,
          raw,
          name + " must be a " + (whole ? "whole " : "") + "number but is " + Section.shown(raw));
      return Optional.empty();
    }
    Optional<String> broken = bounds(argument).broken(name, number.get());
    if (broken.isPresent()) {
      section.wrong(name, raw, broken.get());
      return Optional.empty();
    }
    return Optional.of(NumberText.of(number.get()));
  }

  private static Section.Bounds bounds(Argument argument) {
    boolean isDecimal = argument.type() == Argument.Type.DECIMAL;
    double least = isDecimal ? -Double.MAX_VALUE : Integer.MIN_VALUE;
    double most = isDecimal ? Double.MAX_VALUE : Integer.MAX_VALUE;
    Double min = argument.min();
    Double max = argument.max();
    return Section.Bounds.closed(
        min == null ? least : Math.max(least, min), max == null ? most : Math.min(most, max));
  }

  private Optional<String> integers(Argument argument, Object raw) {
    List<?> elements =
        switch (raw) {
          case List<?> list -> list;
          case String text when text.isBlank() -> List.of();
          case String text -> List.of(text.split(",", -1));
          default -> List.of(raw);
        };
    if (elements.size() > MAX_LIST) {
      section.wrong(
          argument.name(),
          raw,
          argument.name() + " must have <= " + MAX_LIST + " values but has " + elements.size());
      return Optional.empty();
    }
    var texts = new ArrayList<String>();
    for (Object element : elements) {
      Optional<String> text = number(argument, element == null ? "null" : element, true);
      if (text.isEmpty()) {
        return Optional.empty();
      }
      texts.add(text.get());
    }
    return Optional.of(String.join(",", texts));
  }

  private Optional<String> text(Argument argument, Object raw) {
    Optional<String> text = section.text(argument.name());
    if (text.isPresent() && text.get().length() > MAX_TEXT) {
      section.wrong(
          argument.name(),
          raw,
          argument.name()
              + " must have <= "
              + MAX_TEXT
              + " characters but has "
              + text.get().length());
      return Optional.empty();
    }
    return text;
  }
}
