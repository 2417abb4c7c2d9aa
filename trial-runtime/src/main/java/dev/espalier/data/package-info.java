/// Readers of data set files and the order in which samples are visited.
@NullMarked
package dev.espalier.data;

import org.jspecify.annotations.NullMarked;
