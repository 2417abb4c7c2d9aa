package dev.espalier.runtime;

import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ForwardingProgram;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;

/// A program of whose calls, but for `describe`, a watch knows.
final class WatchedProgram extends ForwardingProgram {
  private final CallWatch watch;

  WatchedProgram(TrainingProgram program, CallWatch watch) {
    super(program);
    this.watch = watch;
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    return watch.run(CallWatch.Kind.OPEN, 0, () -> super.open(environment));
  }

  @Override
  public void initialise(ProgramContext context) {
    watch.run(
        CallWatch.Kind.INITIALISE,
        0,
        () -> {
          super.initialise(context);
          return context;
        });
  }

  @Override
  public Progress clock(ProgramContext context) {
    return watch.run(CallWatch.Kind.CLOCK, context.clock(), () -> super.clock(context));
  }

  @Override
  public Progress loss(ProgramContext context) {
    return watch.run(CallWatch.Kind.LOSS, context.clock(), () -> super.loss(context));
  }

  @Override
  public Evaluation evaluate(ProgramContext context) {
    return watch.run(CallWatch.Kind.EVALUATE, context.clock(), () -> super.evaluate(context));
  }

  @Override
  public void close() {
    watch.run(
        CallWatch.Kind.CLOSE,
        0,
        () -> {
          super.close();
          return this;
        });
  }
}
