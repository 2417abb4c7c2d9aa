/// What a neural network is made of, and the engines that may compute it.
@NullMarked
package dev.espalier.nn;

import org.jspecify.annotations.NullMarked;
