package dev.espalier.runtime;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;

/// A program each of whose calls a watch knows of.
record WatchedProgram(TrainingProgram program, CallWatch watch) implements TrainingProgram {
  @Override
  public ProgramDescriptor describe() {
    return program.describe();
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    return watch.run(CallWatch.Kind.OPEN, 0, () -> program.open(environment));
  }

  @Override
  public void initialise(ProgramContext context) {
    watch.run(
        CallWatch.Kind.INITIALISE,
        0,
        () -> {
          program.initialise(context);
          return context;
        });
  }

  @Override
  public Progress clock(ProgramContext context) {
    return watch.run(CallWatch.Kind.CLOCK, context.clock(), () -> program.clock(context));
  }

  @Override
  public Progress loss(ProgramContext context) {
    return watch.run(CallWatch.Kind.LOSS, context.clock(), () -> program.loss(context));
  }

  @Override
  public Evaluation evaluate(ProgramContext context) {
    return watch.run(CallWatch.Kind.EVALUATE, context.clock(), () -> program.evaluate(context));
  }

  @Override
  public void close() {
    program.close();
  }
}
