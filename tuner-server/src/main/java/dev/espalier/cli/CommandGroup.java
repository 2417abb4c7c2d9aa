package dev.espalier.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// A command that only holds commands.
abstract sealed class CommandGroup implements Runnable
    permits BranchCommands,
        ConfigCommands,
        DecisionCommands,
        EvaluationCommands,
        JobCommands,
        ModelCommands,
        ProgramCommands,
        RoundCommands,
        ScheduleCommands,
        SnapshotCommands,
        TokenCommands,
        WorkerCommands {
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), spec.qualifiedName() + " needs a command of its own");
  }
}
