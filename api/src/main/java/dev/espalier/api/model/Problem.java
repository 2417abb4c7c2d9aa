package dev.espalier.api.model;

import static java.util.Objects.requireNonNull;

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
