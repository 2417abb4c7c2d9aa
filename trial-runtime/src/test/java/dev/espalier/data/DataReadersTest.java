package dev.espalier.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DataReadersTest {
  @TempDir Path folder;

  private DataFile file(String name, byte[] content) throws IOException {
    return new DataFile(Files.write(folder.resolve(name), content));
  }

  private DataFile text(String content) throws IOException {
    return file("file.txt", content.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static byte[] packed(byte[] content) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(bytes)) {
      gzip.write(content);
    }
    return bytes.toByteArray();
  }

  private static void assertInvalid(ThrowingCallable reading, String... parts) {
    assertThatThrownBy(reading)
        .isInstanceOfSatisfying(
            EspalierException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.INVALID_DATA);
              assertThat(e.getMessage()).contains(parts);
            });
  }

  @Test
  void cifarImagesThatNoArrayHoldsAreRefused() {
    var file = new DataFile(folder.resolve("data_batch_5.bin"));
    assertThat(CifarReader.sum(600_000, 99_050, file)).isEqualTo(699_050);
    assertInvalid(
        () -> CifarReader.sum(600_000, 99_051, file),
        "data_batch_5.bin",
        "at most 699,050 images",
        "there are 699,051");
  }

  @Test
  void theStartOfAFileIsReadWithoutTheRest() throws IOException {
    byte[] content = new byte[300_000];
    new Random(3).nextBytes(content);
    DataFile whole = file("whole", content);
    for (int most : new int[] {0, 1, 70_000, 300_000, 400_000}) {
      assertThat(whole.bytes(most))
          .isEqualTo(Arrays.copyOf(content, Math.min(most, content.length)));
    }
    byte[] packed = packed(content);
    DataFile cutOff = file("cut.gz", Arrays.copyOf(packed, packed.length / 2));
    assertThat(cutOff.bytes(70_000)).isEqualTo(Arrays.copyOf(content, 70_000));
    assertInvalid(cutOff::bytes, "cut.gz", "cut off");
  }

  @Test
  void arraysGrowToTheMostThatThereCanBe() throws IOException {
    DataFile file = text("");
    assertThat(Capacity.larger(1024, 1025, file, "values")).isEqualTo(2048);
    assertThat(Capacity.larger(1024, 5000, file, "values")).isEqualTo(5000);
    assertThat(Capacity.larger(1 << 30, (1L << 30) + 1, file, "values")).isEqualTo(Capacity.MOST);
    assertThat(Capacity.larger(Capacity.MOST - 1, Capacity.MOST, file, "values"))
        .isEqualTo(Capacity.MOST);
    assertInvalid(
        () -> Capacity.larger(Capacity.MOST, Capacity.MOST + 1L, file, "values"),
        "file.txt: expected at most 2147483639 values but there are more");
  }

  @Test
  void ratingsThatNoFloatHoldsAreRefused() throws IOException {
    assertInvalid(
        () -> RatingsReader.read(text("1\t2\t3.5\n1\t3\t1e39\n")),
        "line 2",
        "rating must fit a float but is 1.0E39");
  }

  private DataFile archive(String name, String entry, String content) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("set/other"));
      zip.write(1);
      zip.putNextEntry(new ZipEntry(entry));
      zip.write(content.getBytes(StandardCharsets.ISO_8859_1));
    }
    return file(name, bytes.toByteArray());
  }

  @Nested
  final class Folder {
    @Test
    void findsFilesInsideArchivesLast() throws IOException {
      archive("set.zip", "set/toy", "1 1:1\n0 2:1\n");
      DataFile inside = new DataFolder(folder).require("toy");
      assertThat(inside.entry()).contains("set/toy");
      assertThat(LibsvmReader.read(inside).count()).isEqualTo(2);
      archive("set.zip", "set/toy", "1 1:1\nx\n");
      assertInvalid(() -> LibsvmReader.read(inside), "set.zip (set/toy): line 2: ");
      file("toy", new byte[1]);
      assertThat(new DataFolder(folder).require("toy").entry()).isEmpty();
    }

    @Test
    void namesTheFilesInsideArchivesWhereThereAreNoOthers() throws IOException {
      archive("set.zip", "set/toy", "1 1:1\n");
      file(".hidden", new byte[1]);
      assertThat(new DataFolder(folder).names()).containsExactly("other", "toy");
      file("a.gz", new byte[1]);
      assertThat(new DataFolder(folder).names()).containsExactly("a");
    }

    @Test
    void saysWhatIsWrongWithAnArchive() throws IOException {
      file("broken.zip", new byte[] {1, 2, 3});
      assertInvalid(() -> new DataFolder(folder).find("toy"), "broken.zip", "zip archive");
    }

    @Test
    void findsPlainFilesBeforePackedOnes() throws IOException {
      file("a.gz", new byte[1]);
      assertThat(new DataFolder(folder).require("a").path()).hasFileName("a.gz");
      file("a", new byte[1]);
      assertThat(new DataFolder(folder).require("a").path()).hasFileName("a");
      assertThat(new DataFolder(folder).names()).containsExactly("a");
    }

    @Test
    void namesBothFormsOfAMissingFile() {
      assertInvalid(
          () -> new DataFolder(folder).require("b"), folder.toString(), "b or b.gz", "neither");
      assertThat(new DataFolder(folder).find("b")).isEmpty();
    }

    @Test
    void refusesAMissingFolder() {
      assertInvalid(() -> new DataFolder(folder.resolve("no")), "no", "folder");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../secret", "a/b", "a\\b", "..", ".", "", " "})
    void refusesNamesThatLeaveTheFolder(String name) {
      assertThatThrownBy(() -> new DataFolder(folder).find(name))
          .isInstanceOfSatisfying(
              EspalierException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_JOB))
          .hasMessageContaining("plain file name");
    }
  }

  @Nested
  final class Idx {
    private byte[] images(int magic, int count, int rows, int columns, int pixels) {
      var buffer = ByteBuffer.allocate(16 + pixels);
      buffer.putInt(magic).putInt(count).putInt(rows).putInt(columns);
      for (int i = 0; i < pixels; i++) {
        buffer.put((byte) i);
      }
      return buffer.array();
    }

    private byte[] labels(int count, int... labels) {
      var buffer = ByteBuffer.allocate(8 + labels.length).putInt(2049).putInt(count);
      for (int label : labels) {
        buffer.put((byte) label);
      }
      return buffer.array();
    }

    @Test
    void readsPlainAndPackedImagesAlike() throws IOException {
      byte[] content = images(2051, 2, 2, 3, 12);
      var plain = IdxReader.images(file("plain", content));
      var packed = IdxReader.images(file("packed", packed(content)));
      assertThat(plain.count()).isEqualTo(2);
      assertThat(plain.rows()).isEqualTo(2);
      assertThat(plain.columns()).isEqualTo(3);
      assertThat(plain.pixels()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
      assertThat(packed.pixels()).isEqualTo(plain.pixels());
    }

    @Test
    void readsImagesLargerThanItsBuffer() throws IOException {
      var images = IdxReader.images(file("f", packed(images(2051, 300, 28, 28, 235_200))));
      assertThat(images.pixels()).hasSize(235_200);
      assertThat(images.pixels()[235_199]).isEqualTo((byte) 235_199);
    }

    @Test
    void readsLabels() throws IOException {
      assertThat(IdxReader.labels(file("f", labels(3, 0, 9, 4)), 10)).containsExactly(0, 9, 4);
    }

    @Test
    void refusesAMissingFile() {
      assertInvalid(
          () -> IdxReader.images(new DataFile(folder.resolve("none"))), "none", "there is none");
    }

    @Test
    void refusesTheWrongMagicNumber() throws IOException {
      var file = file("f", images(2049, 1, 1, 1, 1));
      assertInvalid(() -> IdxReader.images(file), file.path() + ": byte 0", "2051", "2049");
    }

    @Test
    void refusesACutOffHeader() throws IOException {
      var file = file("f", Arrays.copyOf(images(2051, 1, 1, 1, 1), 10));
      assertInvalid(() -> IdxReader.images(file), "byte 10", "row count");
      assertInvalid(() -> IdxReader.images(file("e", new byte[0])), "byte 0", "magic number");
    }

    @Test
    void refusesACutOffFile() throws IOException {
      var file = file("f", images(2051, 4, 2, 2, 15));
      assertInvalid(() -> IdxReader.images(file), "byte 31", "16 bytes", "after 15");
    }

    @Test
    void refusesBytesAfterTheEnd() throws IOException {
      var file = file("f", images(2051, 4, 2, 2, 17));
      assertInvalid(() -> IdxReader.images(file), "byte 32", "there is more");
    }

    @Test
    void refusesACutOffGzip() throws IOException {
      byte[] noise = new byte[100_016];
      new Random(7).nextBytes(noise);
      System.arraycopy(images(2051, 1000, 10, 10, 0), 0, noise, 0, 16);
      byte[] whole = packed(noise);
      for (int length : new int[] {3, 12, 50_000, whole.length - 1}) {
        var file = file("f" + length, Arrays.copyOf(whole, length));
        assertInvalid(() -> IdxReader.images(file), file.path() + ": byte ", "gzip");
      }
    }

    @Test
    void refusesCorruptGzip() throws IOException {
      byte[] content = packed(images(2051, 100, 10, 10, 10_000));
      Arrays.fill(content, 20, 60, (byte) 0x5a);
      var file = file("f", content);
      assertInvalid(() -> IdxReader.images(file), file.path() + ": byte ");
    }

    @Test
    void refusesCountsThatNoFileCouldHold() throws IOException {
      assertInvalid(
          () -> IdxReader.images(file("f", images(2051, 2_000_000_000, 28, 28, 4))),
          "byte 16",
          "promises 1568000000000 bytes");
      assertInvalid(() -> IdxReader.images(file("g", images(2051, -1, 28, 28, 4))), "byte 4", "-1");
    }

    @Test
    void refusesALabelOutOfRange() throws IOException {
      var file = file("f", labels(3, 1, 10, 2));
      assertInvalid(() -> IdxReader.labels(file, 10), "byte 9", "[0, 9]", "10");
    }
  }

  @Nested
  final class RatingFiles {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "1\t2\t3\t881250949\n10\t1\t4.5\t881250950\n",
          "1::2::3::881250949\r\n10::1::4.5::881250950",
          "userId,movieId,rating,timestamp\n1,2,3.0,881250949\n10,1,4.5,881250950\n",
          "1,2,3\n\n10,1,4.5\n",
          "\u00ef\u00bb\u00bf1,2,3\n10,1,4.5\n",
          "\u00ef\u00bb\u00bfuserId,movieId,rating\n1,2,3\n10,1,4.5\n"
        })
    void readsAllFormsOfMovieLens(String content) throws IOException {
      Ratings ratings = RatingsReader.read(text(content));
      assertThat(ratings.count()).isEqualTo(2);
      assertThat(ratings.users()).containsExactly(0, 9);
      assertThat(ratings.items()).containsExactly(1, 0);
      assertThat(ratings.values()).containsExactly(3f, 4.5f);
      assertThat(ratings.userCount()).isEqualTo(10);
      assertThat(ratings.itemCount()).isEqualTo(2);
    }

    @Test
    void readsMoreThanItsFirstBuffers() throws IOException {
      String lines = "7\t8\t2.25\t1\n".repeat(10_000);
      Ratings ratings =
          RatingsReader.read(file("r", packed(lines.getBytes(StandardCharsets.UTF_8))));
      assertThat(ratings.values()).hasSize(10_000).containsOnly(2.25f);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "0\\t2\\t3\\t1|user id must lie in [1, 10000000] but is 0",
          "-4\\t2\\t3\\t1|user id must lie in",
          "1\\t99999999999999\\t3\\t1|item id must lie in",
          "1\\t99999999999999999999\\t3\\t1|item id must be a whole number",
          "x\\t2\\t3\\t1|user id must be a whole number but is \"x\\t2\\t3\\t1\"",
          "1.5\\t2\\t3\\t1|user id must be a whole number",
          "1\\t2\\tgood\\t1|rating must be a number but is \"good\\t1\"",
          "1\\t2\\tNaN\\t1|rating must be finite but is \"NaN",
          "1\\t2\\t1e999\\t1|rating must be finite",
          "1\\t2|expected \"\\t\" after the item id but found the end of the line",
          "1\\t2\\t\\t1|rating must be a number",
          "1\\t2\\t3\\tnoon|time must be a number",
          "1\\t2\\t3\\t4\\t5|there is more",
          "1,2,3|expected \"\\t\" after the user id but found \",2,3\""
        })
    void namesTheLineThatIsMalformed(String line, String message) throws IOException {
      var file = text("1\t2\t3\t4\n\n" + line.replace("\\t", "\t") + "\n1\t2\t3\t4\n");
      assertInvalid(() -> RatingsReader.read(file), file.path() + ": line 3: ", message);
    }

    @Test
    void refusesEmptyAndForeignFiles() throws IOException {
      assertInvalid(() -> RatingsReader.read(text("")), "line 1", "empty");
      assertInvalid(() -> RatingsReader.read(text("\n\n")), "line 1", "empty");
      assertInvalid(() -> RatingsReader.read(text("hello world\n")), "line 1", "separated by");
      assertInvalid(() -> RatingsReader.read(text("userId,movieId,rating\n")), "only a header");
      assertInvalid(
          () -> RatingsReader.read(text("\"1\",2,3\n4,5,6\n")),
          "line 1",
          "user id must be a whole number");
      assertInvalid(
          () -> RatingsReader.read(new DataFile(folder.resolve("none"))), "none", "there is none");
    }

    @Test
    void refusesALineWithoutEnd() throws IOException {
      byte[] zeros = new byte[17_000_000];
      assertInvalid(() -> RatingsReader.read(file("z", zeros)), "line 1", "at most");
    }

    @Test
    void refusesACutOffGzip() throws IOException {
      var random = new Random(3);
      var content = new StringBuilder();
      for (int i = 0; i < 50_000; i++) {
        content
            .append(1 + random.nextInt(900))
            .append("\t7\t3\t")
            .append(random.nextInt())
            .append('\n');
      }
      byte[] whole = packed(content.toString().getBytes(StandardCharsets.US_ASCII));
      var file = file("f.gz", Arrays.copyOf(whole, whole.length / 2));
      assertInvalid(() -> RatingsReader.read(file), file.path() + ": byte ", "cut off");
    }
  }

  @Nested
  final class Libsvm {
    @Test
    void readsExamples() throws IOException {
      SparseExamples examples =
          LibsvmReader.read(text("-1 1:0.5 7:-2e-3 \n# none\n+1\n0 2:1 # tail\n1 3:+4\r\n"));
      assertThat(examples.count()).isEqualTo(4);
      assertThat(examples.features()).isEqualTo(7);
      assertThat(examples.labels()).containsExactly(0, 1, 0, 1);
      assertThat(examples.starts()).containsExactly(0, 2, 2, 3, 4);
      assertThat(examples.indices()).containsExactly(0, 6, 1, 2);
      assertThat(examples.values()).containsExactly(0.5f, -2e-3f, 1f, 4f);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "2 1:1|label must be -1, 0 or 1 but is 2.0",
          "nan 1:1|label must be a number but is \"nan 1:1\"",
          "x|label must be a number",
          "1 -3:1|index must lie in [1, 100000000] but is -3",
          "1 0:1|index must lie in [1, 100000000] but is 0",
          "1 4:1 4:2|index must be > 4, the one before, but is 4",
          "1 4:1 3:2|index must be > 4, the one before, but is 3",
          "1 4|expected \":\" after the index but found the end of the line",
          "1 4:|value of index 4 must be a number but is the end of the line",
          "1 4:NaN|value of index 4 must be finite but is \"NaN\"",
          "1 4:1e300|value of index 4 must fit a float but is 1.0E300",
          "1 4:1f|value of index 4 must be a number but is \"1f\"",
          "1 4:0x1p3|value of index 4 must be a number but is \"0x1p3\"",
          "1:1 5:2|expected a blank after the label but found \":1 5:2\"",
          "1 4:1..2|value of index 4 must be a number but is \"1..2\"",
          "1 4:1;5:2|index must be a whole number but is \";5:2\""
        })
    void namesTheLineThatIsMalformed(String line, String message) throws IOException {
      var file = text("1 1:1\n" + line + "\n");
      assertInvalid(() -> LibsvmReader.read(file), file.path() + ": line 2: ", message);
    }

    @Test
    void refusesFilesWithoutExamples() throws IOException {
      assertInvalid(() -> LibsvmReader.read(text("")), "line 1", "none");
      assertInvalid(() -> LibsvmReader.read(text("# only\n")), "line 1", "none");
      assertInvalid(
          () -> LibsvmReader.read(new DataFile(folder.resolve("none"))), "none", "there is none");
    }
  }

  @Nested
  final class LibsvmClasses {
    @Test
    void readsClassesAndSortsIndices() throws IOException {
      SparseExamples examples = LibsvmReader.readClasses(text("3 7:2 1:-0.5\n200 2:1\n"));
      assertThat(examples.labels()).containsExactly((byte) 3, (byte) 200);
      assertThat(examples.indices()).containsExactly(0, 6, 1);
      assertThat(examples.values()).containsExactly(-0.5f, 2f, 1f);
      SparseExamples last = examples.slice(1, 2);
      assertThat(last.starts()).containsExactly(0, 1);
      assertThat(last.indices()).containsExactly(1);
      assertThat(last.labels()).containsExactly((byte) 200);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "256 1:1|class must lie in [0, 255] but is 256",
          "1.5 1:1|class must be a whole number",
          "4:1 5:2|expected a blank after the class but found \":1 5:2\"",
          "1 3:1 2:1 3:2|index must occur once but 3 occurs twice"
        })
    void namesTheLineThatIsMalformed(String line, String message) throws IOException {
      var file = text("1 1:1\n" + line + "\n");
      assertInvalid(() -> LibsvmReader.readClasses(file), file.path() + ": line 2: ", message);
    }
  }

  @Nested
  final class Criteo {
    private static final int COLUMNS = 1 << 20;

    private static String line(String label, String numbers, String categories) {
      return label + numbers + categories + "\n";
    }

    @Test
    void hashesFieldsAndBins() throws IOException {
      String empty = "\t".repeat(26);
      SparseExamples examples =
          CriteoReader.read(
              text(
                  line("1", "\t100" + "\t".repeat(12), "\t68fd1e64" + "\t".repeat(25))
                      + line("0", "\t101" + "\t".repeat(12), empty)
                      + line("0", "\t-2" + "\t".repeat(12), empty)),
              COLUMNS);
      assertThat(examples.labels()).containsExactly(1, 0, 0);
      assertThat(examples.features()).isEqualTo(COLUMNS);
      Set<Integer> first = columns(examples, 0);
      Set<Integer> second = columns(examples, 1);
      Set<Integer> third = columns(examples, 2);
      assertThat(first).hasSize(39);
      // 100 and 101 are of one bin, so only the category differs; -2 is a value of its own.
      assertThat(difference(first, second)).isEqualTo(1);
      assertThat(difference(second, third)).isEqualTo(1);
    }

    private static Set<Integer> columns(SparseExamples examples, int example) {
      var columns = new HashSet<Integer>();
      for (int i = examples.starts()[example]; i < examples.starts()[example + 1]; i++) {
        columns.add(examples.indices()[i]);
      }
      return columns;
    }

    private static int difference(Set<Integer> one, Set<Integer> other) {
      var left = new HashSet<>(one);
      left.removeAll(other);
      return left.size();
    }

    @Test
    void fieldsThatShareAColumnAddUp() throws IOException {
      SparseExamples examples = CriteoReader.read(text("1" + "\t".repeat(39) + "\n"), 1);
      assertThat(examples.indices()).containsExactly(0);
      assertThat(examples.values()).containsExactly(39f);
    }

    @Test
    void namesTheLineThatIsMalformed() throws IOException {
      String good = "1" + "\t".repeat(39) + "\n";
      assertInvalid(
          () -> CriteoReader.read(text(good + good.replace("1", "2")), 64),
          "line 2",
          "label must lie in [0, 1] but is 2");
      assertInvalid(
          () -> CriteoReader.read(text("1\tx" + "\t".repeat(38) + "\n"), 64),
          "line 1",
          "field 1 must be a whole number");
      assertInvalid(
          () -> CriteoReader.read(text("1" + "\t".repeat(40) + "\n"), 64),
          "line 1",
          "there are more");
      assertInvalid(() -> CriteoReader.read(text(""), 64), "line 1", "none");
    }
  }

  @Test
  void wordCountsHaveThreeNumbersALine() throws IOException {
    assertThat(BagOfWordsReader.readUci(text("2\n3 \n2\n1 1 4\n2 3 1 \n")).documents())
        .isEqualTo(2);
    assertInvalid(
        () -> BagOfWordsReader.readUci(text("2\n3\n2\n1 1 4\n2 3 1.5\n")), "line 5", "count");
    assertInvalid(
        () -> BagOfWordsReader.readUci(text("2\n3\n2\n1 1 4 9\n2 3 1\n")),
        "line 4",
        "expected document, word and count but there is more");
    assertInvalid(
        () -> BagOfWordsReader.readUci(text("2 3 2\n1 1 4\n2 3 1\n")),
        "line 1",
        "expected the number of documents but there is more");
  }

  @Test
  void decimalsAreParsedToTheLastBit() throws IOException {
    var random = new Random(11);
    var content = new StringBuilder();
    double[] expected = new double[2000];
    for (int i = 0; i < expected.length; i++) {
      double value = random.nextGaussian() * Math.pow(10, random.nextInt(12) - 6);
      String text =
          i % 3 == 0
              ? Double.toString(value)
              : new java.math.BigDecimal(value)
                  .round(new java.math.MathContext(1 + random.nextInt(18)))
                  .toPlainString();
      expected[i] = Double.parseDouble(text);
      content.append(text).append('\n');
    }
    try (var lines = new TextLines(text(content.toString()))) {
      for (double value : expected) {
        assertThat(lines.next()).isTrue();
        assertThat(lines.decimal("value")).isEqualTo(value);
        assertThat(lines.atEnd()).isTrue();
      }
    }
  }
}
