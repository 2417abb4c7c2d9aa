package dev.espalier.runtime;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.runtime.branch.ProgramFailure;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Tells failures of the parameter server from those of the program that called it.
final class Faults {
  /// Faults of what is outside the program, whatever it does about them.
  private static final Set<PsFault> NOT_THE_PROGRAMS =
      EnumSet.of(
          PsFault.LINK_LOST,
          PsFault.TIMED_OUT,
          PsFault.OUT_OF_MEMORY_BUDGET,
          PsFault.CHECKPOINT_CORRUPT,
          PsFault.CHECKPOINT_FAILED,
          PsFault.CHECKPOINT_UNREADABLE);

  private Faults() {}

  /// Looks for a failure of the parameter server below what a program made of it.
  ///
  /// @return the failure, where it is no mistake of the program, or nothing was made of it; empty
  ///   where there is none
  static Optional<PsException> behind(Throwable failure) {
    if (ProgramFailure.thrown(failure) instanceof PsException fault) {
      return Optional.of(fault);
    }
    return causes(failure, Collections.newSetFromMap(new IdentityHashMap<>()))
        .filter(PsException.class::isInstance)
        .map(PsException.class::cast)
        .filter(fault -> NOT_THE_PROGRAMS.contains(fault.fault()))
        .findFirst();
  }

  private static Stream<Throwable> causes(@Nullable Throwable failure, Set<Throwable> seen) {
    if (failure == null || !seen.add(failure)) {
      return Stream.empty();
    }
    return Stream.of(
            Stream.of(failure),
            causes(failure.getCause(), seen),
            Arrays.stream(failure.getSuppressed()).flatMap(each -> causes(each, seen)))
        .flatMap(each -> each);
  }
}
