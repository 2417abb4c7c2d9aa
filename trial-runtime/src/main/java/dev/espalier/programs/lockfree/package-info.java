/// Samples of a clock on several threads, without locks.
@NullMarked
package dev.espalier.programs.lockfree;

import org.jspecify.annotations.NullMarked;
