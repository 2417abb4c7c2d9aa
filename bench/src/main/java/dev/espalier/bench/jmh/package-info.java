/// Microbenchmarks of single methods, run by JMH: `./espalier bench jmh`.
@NullMarked
package dev.espalier.bench.jmh;

import org.jspecify.annotations.NullMarked;
