/// Ranks the nodes of a graph.
@NullMarked
package dev.espalier.programs.pagerank;

import org.jspecify.annotations.NullMarked;
