/// Arithmetic on rows of floats, scalar and vectorised.
@NullMarked
package dev.espalier.ps.kernel;

import org.jspecify.annotations.NullMarked;
