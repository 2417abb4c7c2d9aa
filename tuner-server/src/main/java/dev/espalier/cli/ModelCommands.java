package dev.espalier.cli;

import picocli.CommandLine.Command;

/// `espalier model`.
@Command(
    name = "model",
    description = "Takes the model of a job out.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier model export latest model.npz"})
final class ModelCommands extends CommandGroup {}
