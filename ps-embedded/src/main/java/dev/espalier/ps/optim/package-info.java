/// How a gradient changes a parameter.
@NullMarked
package dev.espalier.ps.optim;

import org.jspecify.annotations.NullMarked;
