package dev.espalier.tuner.app.port;

import dev.espalier.api.model.ProgramDescriptor;
import java.util.List;
import java.util.Optional;

/// The programs that jobs may run: the built-in ones and those of jars in the configured folder.
public interface ProgramRegistry {
  List<ProgramDescriptor> programs();

  Optional<ProgramDescriptor> find(String name);
}
