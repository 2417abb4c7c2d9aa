/// A program's tables on the parameter server.
@NullMarked
package dev.espalier.runtime.params;

import org.jspecify.annotations.NullMarked;
