/// Matrix factorisation.
@NullMarked
package dev.espalier.programs.mf;

import org.jspecify.annotations.NullMarked;
