package dev.espalier.api.rest;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One page of a list.
///
/// @param nextPageToken pass it as `pageToken` for the next page; null on the last one
public record PageView<T>(List<T> items, @Nullable String nextPageToken) {
  public PageView {
    items = List.copyOf(items);
  }
}
