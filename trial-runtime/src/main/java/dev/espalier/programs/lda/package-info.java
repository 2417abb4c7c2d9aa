/// Finds the topics of documents.
@NullMarked
package dev.espalier.programs.lda;

import org.jspecify.annotations.NullMarked;
