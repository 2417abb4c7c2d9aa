/// Values that every part of Espalier speaks about.
@NullMarked
package dev.espalier.api.model;

import org.jspecify.annotations.NullMarked;
