/// Row kernels: the inner loops over rows of floats.
@NullMarked
package dev.espalier.ps.kernel;

import org.jspecify.annotations.NullMarked;
