/// What a machine has and the JVM does not: its own code, and memory as the system gives it.
@NullMarked
package dev.espalier.ps.machine;

import org.jspecify.annotations.NullMarked;
