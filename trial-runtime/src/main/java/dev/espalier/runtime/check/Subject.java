package dev.espalier.runtime.check;

import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.runtime.branch.LocalCrew;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// A program that is checked, and what it is run with.
///
/// @param makes the program, anew for each run and worker
/// @param shaping changes what the program says of itself when it is opened
/// @param arguments by name, defaults filled in
/// @param data empty for none
/// @param setting a value for every tunable
/// @param heldOut what probes are made of
record Subject(
    Supplier<? extends TrainingProgram> makes,
    UnaryOperator<ProgramShape> shaping,
    ProgramDescriptor descriptor,
    Map<String, String> arguments,
    Optional<Path> data,
    long seed,
    Setting setting,
    HeldOut heldOut) {
  /// Samples kept out of training, so that `loss` can be called on them.
  private static final HeldOut HELD_OUT = new HeldOut(64, 0.25, ProbeSource.HELD_OUT);

  static Subject of(
      Supplier<? extends TrainingProgram> makes,
      ProgramDescriptor descriptor,
      Map<String, String> arguments,
      Optional<Path> data,
      long seed,
      Setting setting) {
    return new Subject(
        makes,
        UnaryOperator.identity(),
        descriptor,
        descriptor.argumentsWith(arguments),
        data,
        seed,
        setting,
        HELD_OUT);
  }

  String name() {
    return descriptor.name();
  }

  Optional<Tunable> tunable(String name) {
    return descriptor.tunables().stream().filter(one -> one.name().equals(name)).findFirst();
  }

  Subject withSeed(long other) {
    return new Subject(makes, shaping, descriptor, arguments, data, other, setting, heldOut);
  }

  Subject with(String tunable, double value) {
    return new Subject(
        makes, shaping, descriptor, arguments, data, seed, setting.with(tunable, value), heldOut);
  }

  Subject madeBy(Supplier<? extends TrainingProgram> other) {
    return new Subject(other, shaping, descriptor, arguments, data, seed, setting, heldOut);
  }

  Subject shapedBy(UnaryOperator<ProgramShape> other) {
    return new Subject(makes, other, descriptor, arguments, data, seed, setting, heldOut);
  }

  /// The same with probes on the validation samples.
  Subject judgedByValidation() {
    return new Subject(
        makes,
        shaping,
        descriptor,
        arguments,
        data,
        seed,
        setting,
        new HeldOut(1, 0.5, ProbeSource.VALIDATION));
  }

  List<String> metrics() {
    return descriptor.validation().stream().map(metric -> metric.name()).toList();
  }

  Assignment assignment(int workers, Path checkpoints) {
    return LocalCrew.assignment(descriptor, arguments, data, workers, seed, heldOut, checkpoints);
  }
}
