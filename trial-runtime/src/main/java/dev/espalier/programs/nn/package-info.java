/// Neural networks.
@NullMarked
package dev.espalier.programs.nn;

import org.jspecify.annotations.NullMarked;
