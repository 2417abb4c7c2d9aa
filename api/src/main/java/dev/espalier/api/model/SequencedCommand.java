package dev.espalier.api.model;

import static java.util.Objects.requireNonNull;

/// A command with its place in the order of its generation of workers.
///
/// @param sequence from 1, without gaps; a worker applies each number once
public record SequencedCommand(long sequence, BranchCommand command) {
  public SequencedCommand {
    requireNonNull(command, "command");
    if (sequence < 1) {
      throw new IllegalArgumentException("sequence must be >= 1 but is " + sequence);
    }
  }
}
