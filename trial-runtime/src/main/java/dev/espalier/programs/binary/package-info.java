/// Examples of two classes, judged.
@NullMarked
package dev.espalier.programs.binary;

import org.jspecify.annotations.NullMarked;
