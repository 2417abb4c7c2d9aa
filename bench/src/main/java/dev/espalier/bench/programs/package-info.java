/// What programs reach as jobs run them, beside the programs that others use.
@NullMarked
package dev.espalier.bench.programs;

import org.jspecify.annotations.NullMarked;
