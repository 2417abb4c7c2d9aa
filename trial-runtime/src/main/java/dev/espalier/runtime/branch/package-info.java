/// Branches of a program: commands executed on its parameters.
@NullMarked
package dev.espalier.runtime.branch;

import org.jspecify.annotations.NullMarked;
