package dev.espalier.api.rest;

import java.util.stream.Collectors;

/// Texts from outside, made safe to keep and to show.
public final class PrintableText {
  private PrintableText() {}

  /// {@return the text with a mark in the place of each control character that is not white space:
  /// a database keeps no zero, and a terminal obeys an escape}
  public static String of(String text) {
    return text.codePoints()
        .map(point -> isPlain(point) ? point : 0xfffd)
        .mapToObj(Character::toString)
        .collect(Collectors.joining());
  }

  private static boolean isPlain(int point) {
    return point == '\n'
        || point == '\t'
        || point == '\r'
        || !(Character.isISOControl(point) || Character.getType(point) == Character.SURROGATE);
  }
}
