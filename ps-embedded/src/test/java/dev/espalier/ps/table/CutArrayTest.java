package dev.espalier.ps.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CutArrayTest {
  private final List<float[]> back = new ArrayList<>();
  private final float[] array = new float[6];
  private final CutArray cut =
      new CutArray(
          array,
          new ArraySource() {
            @Override
            public float[] take(int length) {
              return new float[length];
            }

            @Override
            public void giveBack(float[] given) {
              back.add(given);
            }
          });

  private RowBatch part(int from, int count) {
    return new RowBatch(0, new RowSelection.Range(from, count), cut.part(from, count));
  }

  @Test
  void goesBackOnceWhenAllPartsWereLetGo() {
    RowBatch first = part(0, 4);
    first.release();
    RowBatch second = part(4, 2);
    second.release();
    assertThat(back).isEmpty();

    cut.end();

    assertThat(back).containsExactly(array);
  }

  @Test
  void staysAwayAsLongAsOneReceiverHasItsPart() {
    RowBatch first = part(0, 4);
    RowBatch second = part(4, 2);
    cut.end();
    second.release();
    assertThat(back).isEmpty();

    first.release();

    assertThat(back).containsExactly(array);
  }

  @Test
  void comesBackAlsoFromOneReceiverOfAll() {
    RowBatch whole = part(0, 6);
    cut.end();
    assertThat(whole.inArray().values()).isSameAs(array);
    assertThat(back).isEmpty();

    whole.release();

    assertThat(back).containsExactly(array);
  }
}
