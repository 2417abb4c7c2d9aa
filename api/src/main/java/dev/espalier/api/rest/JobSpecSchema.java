package dev.espalier.api.rest;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/// The JSON Schema of a job file, for completion in editors; [JobSpecReader] checks more.
public final class JobSpecSchema {
  private static final String RESOURCE = "job-file.schema.json";

  private JobSpecSchema() {}

  /// {@return a JSON Schema of draft 2020-12, as text}
  public static String json() {
    try (InputStream in = JobSpecSchema.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing from the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + RESOURCE, e);
    }
  }
}
