/// The command line: one class per group of commands.
@NullMarked
package dev.espalier.cli;

import org.jspecify.annotations.NullMarked;
