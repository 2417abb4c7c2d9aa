package dev.espalier.tuner.app;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// What is tried again and again and does not go: told once, and anew when the reason is another.
final class Retried {
  private final Map<String, String> told = new ConcurrentHashMap<>();

  /// {@return whether this reason was not told of the last failure of the same thing}
  boolean isNews(String what, RuntimeException failure) {
    String why = String.valueOf(failure.getMessage());
    return !why.equals(told.put(what, why));
  }

  /// What went is told again should it fail once more.
  void went(String what) {
    told.remove(what);
  }
}
