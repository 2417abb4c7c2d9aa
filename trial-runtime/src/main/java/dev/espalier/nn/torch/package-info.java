/// Neural networks computed by libtorch, on the host or on a GPU.
@NullMarked
package dev.espalier.nn.torch;

import org.jspecify.annotations.NullMarked;
