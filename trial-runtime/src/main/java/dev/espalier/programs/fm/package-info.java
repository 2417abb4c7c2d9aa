/// Factorization machines.
@NullMarked
package dev.espalier.programs.fm;

import org.jspecify.annotations.NullMarked;
