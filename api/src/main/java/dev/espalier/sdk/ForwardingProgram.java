package dev.espalier.sdk;

import dev.espalier.api.model.ProgramDescriptor;
import java.util.List;

/// A program that hands every call on to another one: what changes a program from outside extends
/// it, and overrides only what it changes.
///
/// A subclass that handed calls on by itself would lose those that have a default, such as [#loss],
/// as soon as it forgot one of them.
public abstract class ForwardingProgram implements TrainingProgram {
  private final TrainingProgram program;

  /// @param program that calls are handed on to, and which is closed with this one
  protected ForwardingProgram(TrainingProgram program) {
    this.program = program;
  }

  @Override
  public ProgramDescriptor describe() {
    return program.describe();
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    return program.open(environment);
  }

  @Override
  public void initialise(ProgramContext context) {
    program.initialise(context);
  }

  @Override
  public Progress clock(ProgramContext context) {
    return program.clock(context);
  }

  @Override
  public Progress loss(ProgramContext context) {
    return program.loss(context);
  }

  @Override
  public Evaluation evaluate(ProgramContext context) {
    return program.evaluate(context);
  }

  @Override
  public List<String> rowNames(String table) {
    return program.rowNames(table);
  }

  @Override
  public void close() {
    program.close();
  }
}
