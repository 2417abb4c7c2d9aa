package dev.espalier.sdk;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/// What a program is opened with.
///
/// @param arguments by name, in the text form of their types, defaults filled in
/// @param data the job's data folder; empty when the job names none
/// @param worker this worker's number, from 0
/// @param workers how many workers train together
/// @param seed the job's seed
public record ProgramEnvironment(
    Map<String, String> arguments, Optional<Path> data, int worker, int workers, long seed) {
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

  public int integer(String argument) {
    return Integer.parseInt(text(argument).strip());
  }

  public double decimal(String argument) {
    return Double.parseDouble(text(argument).strip());
  }

  /// {@return the numbers of a list such as `128,64`; empty for an empty text}
  public int[] integers(String argument) {
    return Arrays.stream(text(argument).split(","))
        .map(String::strip)
        .filter(part -> !part.isEmpty())
        .mapToInt(Integer::parseInt)
        .toArray();
  }
}
