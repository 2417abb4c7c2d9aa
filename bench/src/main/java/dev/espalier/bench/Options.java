package dev.espalier.bench;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/// What the command line asks for.
record Options(boolean isQuick, Optional<Path> json, Optional<Path> markdown) {
  static final String USAGE =
      """
      Usage: espalier bench main [--quick] [--out FILE.json] [--markdown FILE.md]

      Measures the whole system on this machine and prints a table; about 6 minutes.

        --quick           small and short: whether it works, not how fast; about a minute
        --out FILE.json   also writes the figures and the machine as JSON
        --markdown FILE   also puts the table between the markers of a document
      """;

  /// @throws IllegalArgumentException that says what is wrong with the arguments
  static Options parse(List<String> arguments) {
    boolean isQuick = false;
    Optional<Path> json = Optional.empty();
    Optional<Path> markdown = Optional.empty();
    if (arguments.isEmpty() || !arguments.getFirst().equals("main")) {
      throw new IllegalArgumentException("the benchmark must be main but is " + arguments);
    }
    Iterator<String> rest = arguments.listIterator(1);
    while (rest.hasNext()) {
      String option = rest.next();
      switch (option) {
        case "--quick" -> isQuick = true;
        case "--out" -> json = Optional.of(file(option, rest));
        case "--markdown" -> markdown = Optional.of(file(option, rest));
        default -> throw new IllegalArgumentException("there is no option " + option);
      }
    }
    return new Options(isQuick, json, markdown);
  }

  private static Path file(String option, Iterator<String> rest) {
    if (!rest.hasNext()) {
      throw new IllegalArgumentException(option + " needs a file");
    }
    return Path.of(rest.next());
  }
}
