/// Job files as text.
@NullMarked
package dev.espalier.tuner.document;

import org.jspecify.annotations.NullMarked;
