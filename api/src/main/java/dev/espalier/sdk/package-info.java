/// What a user implements to have a model trained under the tuner.
@NullMarked
package dev.espalier.sdk;

import org.jspecify.annotations.NullMarked;
