package dev.espalier.api.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.stream.Collectors;

/// One thing that is wrong with an input.
///
/// @param pointer JSON pointer to the field, such as `/tunables/learningRate/min`; empty for the
///   whole document
/// @param message a sentence that names the field, the value and the bound
/// @param rejected the value as text; empty when it was missing
public record Problem(String pointer, String message, String rejected) {
  public Problem {
    requireNonNull(pointer, "pointer");
    requireNonNull(message, "message");
    requireNonNull(rejected, "rejected");
  }

  /// {@return all of them, a line each below a title, for people who have the document at hand}
  public static String lines(String title, List<Problem> problems) {
    return problems.stream()
        .map(problem -> "  " + problem.pointer() + ": " + problem.message())
        .collect(Collectors.joining("\n", title + "\n", ""));
  }

  /// {@return the pointer to a field by its name}
  public static String pointer(String name) {
    return "/" + name.replace("~", "~0").replace("/", "~1");
  }

  /// {@return the same problem, of a document that holds this one}
  ///
  /// @param parent pointer to where it holds it
  public Problem below(String parent) {
    return new Problem(parent + pointer, message, rejected);
  }
}
