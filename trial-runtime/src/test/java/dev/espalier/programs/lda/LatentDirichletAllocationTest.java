package dev.espalier.programs.lda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.Tunable;
import dev.espalier.data.BagOfWords;
import dev.espalier.programs.LocalTraining;
import dev.espalier.programs.TestData;
import dev.espalier.sdk.ProgramEnvironment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LatentDirichletAllocationTest {
  @TempDir private Path folder;

  private static LocalTraining open(String topics, Optional<Path> data, int workers) {
    return LocalTraining.of(
            LatentDirichletAllocation::new, Map.of("topics", topics), data, workers, 1)
        .with(Tunable.LEARNING_RATE, 1);
  }

  private static double sum(float[] counts) {
    double sum = 0;
    for (float count : counts) {
      assertThat(count).isGreaterThanOrEqualTo(0).isEqualTo((int) count);
      sum += count;
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void countsAreThoseOfTheAssignments(int workers) {
    try (LocalTraining training = open("10", Optional.empty(), workers)) {
      training.epochs(3);
      Map<String, float[]> tables = training.parameters();
      float[] perTopic = new float[10];
      for (float assigned : tables.get("assignments")) {
        if (assigned > 0) {
          perTopic[(int) assigned - 1]++;
        }
      }
      assertThat(tables.get("totals")).containsExactly(perTopic);
      assertThat(sum(tables.get("topics"))).isEqualTo(sum(tables.get("totals")));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void documentsThatAreHeldOutAreNeverDrawnFor(int workers) {
    try (LocalTraining training = open("10", Optional.empty(), workers).holdingOut(100)) {
      training.with(Tunable.BATCH_SIZE, 64).epochs(3);
      BagOfWords documents = GeneratedCorpus.generate(600, 500, 40).training();
      TokenRows rows = TokenRows.of(documents);
      float[] assignments = training.parameters().get("assignments");
      Set<Integer> heldOut =
          Arrays.stream(training.heldOut()).boxed().collect(Collectors.toUnmodifiableSet());
      for (int document = 0; document < documents.documents(); document++) {
        int first = rows.first(document) * LatentDirichletAllocation.TOKENS_PER_ROW;
        for (int token = 0; token < documents.length(document); token++) {
          assertThat(assignments[first + token] > 0)
              .as("document %d, token %d", document, token)
              .isEqualTo(!heldOut.contains(document));
        }
      }
    }
  }

  @Test
  void lossOfHeldOutDocumentsFallsWithThatOfValidationAndDependsOnTheTopics() {
    try (LocalTraining training = open("10", Optional.empty(), 1).holdingOut(50)) {
      training.epochs(1);
      double early = training.heldOutLoss();
      double earlyMetric = training.metric("logPerplexity");
      assertThat(training.heldOutLoss()).as("measured again").isEqualTo(early);
      training.epochs(40);
      double fallen = early - training.heldOutLoss();
      double metricFallen = earlyMetric - training.metric("logPerplexity");
      assertThat(fallen).isBetween(metricFallen / 2, 2 * metricFallen);
    }
  }

  /// Two topics with a word of its own each: who reads one of them knows the mixture.
  @Test
  void bothWaysToCompleteADocumentAgreeWhereTheTopicsAreSure() {
    double[][] topics = {{0.999, 0.001}, {0.001, 0.999}};
    var documents = new BagOfWords(2, new int[] {0, 40}, new int[40]);
    double mixture = (20 + 0.1) / (20 + 0.2);
    double nats = -20 * Math.log(0.999 * mixture + 0.001 * (1 - mixture));
    for (DocumentCompletion completion :
        List.of(
            DocumentCompletion.sampled(documents, 2, 0.1),
            DocumentCompletion.expected(documents, 2, 0.1))) {
      DocumentCompletion.Judged judged = completion.judge(0, word -> topics[word]);
      assertThat(judged.words()).isEqualTo(20);
      assertThat(judged.nats()).isCloseTo(nats, within(1e-2));
    }
  }

  @Test
  void totalsOfManyTokensAreCountedInSeveralRows() {
    int[] starts = {0, 4, 10, 11, 17, 20};
    var totals = new TopicTotals(starts, 8);
    assertThat(totals.rows()).isEqualTo(3);
    assertThat(IntStream.range(0, 5).map(totals::rowOf)).containsExactly(0, 0, 1, 1, 2);
    double[] sums = new double[2];
    float most = 1 << 24;
    totals.sum(new float[] {most, 1, 1, 2, 1, 3}, sums);
    assertThat(sums).containsExactly((1 << 24) + 2, 6);
    assertThat(new TopicTotals(new int[] {0, 8}, 8).rows()).isOne();
    assertThat(new TopicTotals(new int[] {0, 8, 8}, 8).rowOf(1)).isZero();
  }

  @Test
  void findsTheTopicsOfGeneratedDocuments() {
    try (LocalTraining training = open("10", Optional.empty(), 1)) {
      training.epochs(1);
      double before = training.metric("logPerplexity");
      training.epochs(40);
      // Ten topics of 50 words, a tenth of all tokens noise, two topics in a document.
      assertThat(training.metric("logPerplexity"))
          .isLessThan(before - 0.3)
          .isLessThan(Math.log(200));
    }
  }

  @Test
  void oneTopicIsTheDistributionOfWords() {
    try (LocalTraining training = open("1", Optional.empty(), 1)) {
      training.epochs(1);
      assertThat(training.metric("logPerplexity")).isBetween(Math.log(450), Math.log(520));
    }
  }

  @Test
  void badDocumentsAreNamedByFileAndLine() throws IOException {
    Files.writeString(folder.resolve("docword.x.txt"), "2\n3\n2\n1 1 4\n2 9 1\n");
    assertThatThrownBy(() -> open("2", Optional.of(folder), 1))
        .hasMessageContaining("docword.x.txt")
        .hasMessageContaining("line 5");
  }

  @Test
  void topicsAreNamedByTheVocabularyBesideTheDocuments() throws IOException {
    StringBuilder pairs = new StringBuilder("10\n3\n10\n");
    IntStream.rangeClosed(1, 10).forEach(document -> pairs.append(document).append(" 3 4\n"));
    Files.writeString(folder.resolve("docword.x.txt"), pairs);
    try (var program = new LatentDirichletAllocation()) {
      program.open(environment());
      assertThat(program.rowNames("topics")).isEmpty();

      Files.writeString(folder.resolve("vocab.x.txt"), "apple\nköse \npear\n");
      program.open(environment());
      assertThat(program.rowNames("topics")).containsExactly("apple", "köse", "pear");
      assertThat(program.rowNames("totals")).isEmpty();
    }
  }

  @Test
  void vocabularyOfAnotherLengthIsNoticedBeforeTraining() throws IOException {
    topicsAreNamedByTheVocabularyBesideTheDocuments();
    assertVocabularyIsRefused(
        "apple\n", "line 1: expected 3 words, one a line, but the file ends after 1");
    assertVocabularyIsRefused(
        "", "line 1: expected 3 words, one a line, but the file ends after 0");
    assertVocabularyIsRefused(
        "apple\nköse\npear\nquince\n", "line 4: expected no more than 3 words, one a line");
  }

  private void assertVocabularyIsRefused(String words, String expectation) throws IOException {
    Files.writeString(folder.resolve("vocab.x.txt"), words);
    try (var program = new LatentDirichletAllocation()) {
      assertThatThrownBy(() -> program.open(environment()))
          .hasMessageEndingWith("vocab.x.txt: " + expectation);
    }
  }

  private ProgramEnvironment environment() {
    return new ProgramEnvironment(Map.of("topics", "2"), Optional.of(folder), 0, 1, 1);
  }

  @Test
  void readsLabelledDocuments() throws IOException {
    Files.writeString(folder.resolve("train.feat"), "1 1:2 3:1\n2 2:4\n1 1:1\n");
    Files.writeString(folder.resolve("test.feat"), "2 4:2\n");
    try (LocalTraining training = open("2", Optional.of(folder), 1)) {
      assertThat(training.shape().trainingSamples()).isEqualTo(3);
      assertThat(training.shape().tables().getFirst().rows()).isEqualTo(4);
    }
  }

  /// Neither a probe nor an evaluation may need memory for all words in all topics.
  @Test
  void readsTheTopicsOfTheWordsThatOccur() throws IOException {
    Files.writeString(folder.resolve("train.feat"), "1 1:2 3:1\n2 70000:4\n1 1:1\n");
    Files.writeString(folder.resolve("test.feat"), "2 4:2 3:1\n");
    try (LocalTraining training = open("2", Optional.of(folder), 1)) {
      training.epochs(1);
      training.measureLoss();
      assertThat(training.metric("logPerplexity")).isPositive();
      assertThat(training.mostRowsRead("topics")).isBetween(2, 3);
    }
  }

  @Test
  void validationNeedsADocumentThatCanBeCompleted() throws IOException {
    Files.writeString(folder.resolve("train.feat"), "1 1:2 3:1\n");
    Files.writeString(folder.resolve("test.feat"), "2 4:1\n1\n");
    assertThatThrownBy(() -> open("2", Optional.of(folder), 1))
        .hasMessageContaining("test.feat: no validation document has 2 or more words");
    Files.delete(folder.resolve("train.feat"));
    Files.writeString(folder.resolve("docword.x.txt"), "1\n1\n1\n1 1 2\n");
    assertThatThrownBy(() -> open("2", Optional.of(folder), 1))
        .hasMessageContaining("docword.x.txt: no validation document has 2 or more words");
  }

  @Test
  void comesToTheKnownPerplexityOfDailyKos() {
    Path data = TestData.require("uci-kos");
    try (LocalTraining training = open("20", Optional.of(data), 1)) {
      assertThat(training.shape().trainingSamples()).isEqualTo(3087);
      training.epochs(31);
      // A reference sampler: 1748.6 after 500 sweeps; all words alike: 2696.5.
      assertThat(Math.exp(training.metric("logPerplexity"))).isBetween(1650.0, 2000.0);
    }
  }
}
