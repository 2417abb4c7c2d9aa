package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class KeyCacheTest {
  private final KeyCache cache = new KeyCache();

  @Test
  void aListIsRepeatedWhenItOrItsLikeCameBefore() {
    long[] keys = {3, 1, 4};
    assertThat(cache.isRepeated(keys)).isFalse();
    assertThat(cache.isRepeated(keys.clone())).isTrue();
    assertThat(cache.isRepeated(new long[] {3, 1, 5})).isFalse();
    assertThat(cache.find(keys)).isEqualTo(-1);
  }

  @Test
  void manyOthersInBetweenMakeItForgotten() {
    long[] keys = {3, 1, 4};
    cache.isRepeated(keys);
    for (long i = 0; i < 32; i++) {
      cache.isRepeated(new long[] {i, 100 + i});
    }
    assertThat(cache.isRepeated(keys)).isFalse();
  }

  @Test
  void whatWasAddedSinceTheLastCommitCanBeUndone() {
    long[] kept = {1, 2};
    long[] undone = {3, 4};
    cache.add(kept);
    cache.commit();
    cache.add(undone);
    assertThat(cache.find(undone)).isEqualTo(1);
    cache.undo();
    assertThat(cache.find(undone)).isEqualTo(-1);
    assertThat(cache.get(cache.find(kept.clone()))).isSameAs(kept);
  }

  @Test
  void afterAFrameThatCouldNotBeReadNoNameIsTrusted() {
    cache.add(new long[] {1, 2});
    cache.commit();
    cache.lose();
    assertThatThrownBy(() -> cache.get(0)).isInstanceOf(IllegalArgumentException.class);
  }
}
