package dev.espalier.cli.watch;

import dev.espalier.api.rest.TimeText;
import tools.jackson.databind.JsonNode;

/// When a job ends at the latest, and what its seconds are, as its configuration says.
///
/// @param maxEpochs 0 for no bound
/// @param maxSeconds 0 for no bound
public record StopBounds(double maxEpochs, double maxSeconds) {
  public static final StopBounds NONE = new StopBounds(0, 0);

  /// {@return the bounds of a job file with every default filled in}
  public static StopBounds of(JsonNode config) {
    JsonNode stop = config.path("stop");
    double seconds =
        stop.has("maxSeconds")
            ? stop.path("maxSeconds").asDouble(0)
            : TimeText.seconds(stop.path("maxTime").asString("0")).orElse(0.0);
    return new StopBounds(stop.path("maxEpochs").asDouble(0), seconds);
  }
}
