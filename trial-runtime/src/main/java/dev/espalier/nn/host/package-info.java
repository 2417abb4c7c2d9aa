/// Neural networks computed in Java.
@NullMarked
package dev.espalier.nn.host;

import org.jspecify.annotations.NullMarked;
