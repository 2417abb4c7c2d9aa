package dev.espalier.sdk;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// What a program is opened with.
///
/// @param arguments by name, in the text form of their types, defaults filled in
/// @param data the job's data folder; empty when the job names none
/// @param worker this worker's number, from 0
/// @param workers how many workers train together
/// @param seed the job's seed
public record ProgramEnvironment(
    Map<String, String> arguments, Optional<Path> data, int worker, int workers, long seed) {
  private static final String WHOLE = "a whole number from -2147483648 to 2147483647";

  public ProgramEnvironment {
    arguments = Map.copyOf(arguments);
  }

  public String text(String argument) {
    String value = arguments.get(argument);
    if (value == null) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB, "argument " + argument + " is missing; there are " + arguments);
    }
    return value;
  }

  /// {@return the number of a whole argument}
  ///
  /// @throws EspalierException `INVALID_JOB` when it is none, or no `int` holds it
  public int integer(String argument) {
    return number(argument, text(argument), WHOLE, Integer::parseInt);
  }

  /// {@return the number of a decimal argument}
  ///
  /// @throws EspalierException `INVALID_JOB` when it is none
  public double decimal(String argument) {
    return number(argument, text(argument), "a number", Double::parseDouble);
  }

  /// {@return the numbers of a list such as `128,64`; empty for an empty text}
  ///
  /// @throws EspalierException `INVALID_JOB` when one is no whole number, or no `int` holds it
  public int[] integers(String argument) {
    return Arrays.stream(text(argument).split(","))
        .map(String::strip)
        .filter(part -> !part.isEmpty())
        .mapToInt(part -> number(argument, part, WHOLE, Integer::parseInt))
        .toArray();
  }

  private static <T> T number(
      String argument, String text, String must, Function<String, T> parsed) {
    try {
      return parsed.apply(text.strip());
    } catch (NumberFormatException notOne) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          "argument %s must be %s but is '%s'".formatted(argument, must, text),
          notOne);
    }
  }
}
