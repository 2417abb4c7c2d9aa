/// Logistic regression.
@NullMarked
package dev.espalier.programs.logreg;

import org.jspecify.annotations.NullMarked;
