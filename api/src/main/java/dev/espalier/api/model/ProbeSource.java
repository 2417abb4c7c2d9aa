package dev.espalier.api.model;

import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;

/// Where the samples come from that branches are judged by: the probe set.
public enum ProbeSource {
  /// Validation samples, where the program has as many as would be held out and can measure parts
  /// of them; elsewhere training samples that are held out.
  VALIDATION("validation"),

  /// Training samples that are held out of training.
  HELD_OUT("heldOut");

  private final String word;

  ProbeSource(String word) {
    this.word = word;
  }

  /// {@return what a job file calls it}
  public String word() {
    return word;
  }

  /// {@return what job files may say}
  public static List<String> words() {
    return Arrays.stream(values()).map(ProbeSource::word).toList();
  }

  /// {@return the source that a job file calls so}
  ///
  /// @throws NoSuchElementException for any other word
  public static ProbeSource of(String word) {
    return Arrays.stream(values())
        .filter(source -> source.word.equals(word))
        .findFirst()
        .orElseThrow();
  }
}
