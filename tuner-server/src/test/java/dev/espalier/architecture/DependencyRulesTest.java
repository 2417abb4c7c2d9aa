package dev.espalier.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The laws of the house, checked on the class files of every module that ships.
final class DependencyRulesTest {
  private static final String CORE = "dev.espalier.tuner.core..";

  private static DependencyTable table;
  private static JavaClasses shipped;

  @BeforeAll
  static void readTableAndClasses() throws IOException {
    table = DependencyTable.read();
    shipped =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.espalier");
    assertThat(packagesOf(shipped))
        .as("packages on the test class path")
        .contains(
            "dev.espalier.api.model", "dev.espalier.runtime", "dev.espalier.tuner.core.session");
  }

  @Test
  void everyPackageHasALineInTheTable() {
    assertThat(packagesOf(shipped)).as("packages without a line").allMatch(table::hasLine);
    assertThat(table.importedWithoutLine()).as("imported without a line").isEmpty();
  }

  @Test
  void everyLineOfTheTableHasAPackage() {
    assertThat(table.allowed().keySet())
        .as("lines without a package")
        .isSubsetOf(packagesOf(shipped));
  }

  @Test
  void everyDependencyStandsInTheTable() {
    classes().should(importOnlyWhatTheTableAllows()).check(shipped);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.espalier.(**)").should().beFreeOfCycles().check(shipped);
  }

  @Test
  void coreUsesOnlyValuesAndMathematics() {
    noClasses()
        .that()
        .resideInAPackage(CORE)
        .should()
        .dependOnClassesThat(
            not(resideInAnyPackage(
                    "java.lang",
                    "java.lang.invoke",
                    "java.lang.runtime",
                    "java.util..",
                    "java.time..",
                    "org.apache.commons.math3..",
                    "org.jspecify.annotations",
                    "dev.espalier.api.model",
                    CORE))
                .or(resideInAnyPackage("java.util.concurrent.."))
                .or(describe("threads", type -> type.isAssignableTo(Thread.class))))
        .because("a job is replayed by giving the core the same events again")
        .allowEmptyShould(true)
        .check(shipped);
  }

  @Test
  void coreReadsNoClockAndDrawsNoUnseededNumber() {
    noClasses()
        .that()
        .resideInAPackage(CORE)
        .should()
        .callCodeUnitWhere(describe("reads a clock or draws unseeded", DependencyRulesTest::impure))
        .because("time and chance reach the core as events and seeds")
        .allowEmptyShould(true)
        .check(shipped);
  }

  @ParameterizedTest
  @MethodSource("doors")
  void libraryIsEnteredByItsDoorOnly(Door door) {
    noClasses()
        .that(not(door.owners()))
        .should()
        .dependOnClassesThat(resideInAnyPackage(door.library().toArray(String[]::new)))
        .because(door + " only")
        .allowEmptyShould(true)
        .check(shipped);
  }

  static List<Door> doors() {
    return List.of(
        new Door(
            "vector kernels",
            List.of(
                "ps.kernel.VectorRowKernels",
                "nn.host.VectorGemm",
                "programs.mf.VectorFactorSteps"),
            "jdk.incubator.."),
        new Door("the device's driver", List.of("ps.gpu.CudaDriver"), "jcuda.."),
        new Door(
            "the wire",
            List.of("api.wire", "api.wire.v1", "runtime.link", "runtime.transport", "tuner.grpc"),
            "com.google.protobuf..",
            "io.grpc..",
            "io.netty.."),
        new Door(
            "the database",
            List.of("tuner.persistence", "tuner.boot"),
            "java.sql..",
            "javax.sql..",
            "jakarta.persistence..",
            "org.hibernate..",
            "org.postgresql..",
            "org.flywaydb..",
            "com.zaxxer..",
            "org.springframework.data..",
            "org.springframework.jdbc..",
            "org.springframework.orm.."),
        new Door(
            "Spring",
            List.of("tuner.rest", "tuner.grpc", "tuner.persistence", "tuner.launch", "tuner.boot"),
            "org.springframework.."),
        new Door(
            "statistics",
            List.of(
                "tuner.core.progress",
                "tuner.core.search",
                "tuner.core.session",
                "tuner.core.policy.race"),
            "org.apache.commons.math3.."),
        new Door(
            "YAML", List.of("tuner.document", "tuner.rest", "cli.client"), "org.yaml.snakeyaml.."),
        new Door("the command line", List.of("cli"), "picocli.."));
  }

  /// A library and the packages, or single classes, that may use it.
  record Door(String name, List<String> places, List<String> library) {
    Door(String name, List<String> places, String... library) {
      this(name, places, List.of(library));
    }

    DescribedPredicate<JavaClass> owners() {
      Set<String> names = new TreeSet<>();
      places.forEach(place -> names.add(DependencyTable.ROOT + place));
      return describe(
          "are in " + places,
          type ->
              names.contains(type.getPackageName())
                  || names.contains(type.getName().replaceFirst("\\$.*", "")));
    }

    @Override
    public String toString() {
      return name + " in " + places;
    }
  }

  private static boolean impure(JavaCall<?> call) {
    String owner = call.getTargetOwner().getName();
    String method = call.getTarget().getName();
    boolean withoutArguments = call.getTarget().getRawParameterTypes().isEmpty();
    return switch (owner) {
      case "java.lang.System" -> !method.equals("arraycopy");
      case "java.lang.Math", "java.lang.StrictMath" -> method.equals("random");
      case "java.lang.Runtime", "java.lang.ProcessHandle", "java.time.Clock" -> true;
      case "java.util.Random", "java.util.SplittableRandom" ->
          method.equals("<init>") && withoutArguments;
      case "java.util.random.RandomGenerator" -> Set.of("of", "getDefault").contains(method);
      case "java.util.random.RandomGeneratorFactory" -> method.equals("create") && withoutArguments;
      case "java.util.UUID" -> method.equals("randomUUID");
      case "java.util.Collections" ->
          method.equals("shuffle") && call.getTarget().getRawParameterTypes().size() == 1;
      default ->
          owner.startsWith("java.time.") && method.equals("now")
              || owner.startsWith("org.apache.commons.math3.random.")
                  && method.equals("<init>")
                  && withoutArguments;
    };
  }

  private static Set<String> packagesOf(JavaClasses types) {
    Set<String> names = new TreeSet<>();
    types.forEach(type -> names.add(type.getPackageName()));
    return names;
  }

  private static ArchCondition<JavaClass> importOnlyWhatTheTableAllows() {
    return new ArchCondition<>("import only what dependencies.txt allows") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        String from = type.getPackageName();
        for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
          String to = dependency.getTargetClass().getBaseComponentType().getPackageName();
          if (to.startsWith(DependencyTable.ROOT) && !table.allows(from, to)) {
            events.add(
                SimpleConditionEvent.violated(
                    type, from + " may not import " + to + ": " + dependency.getDescription()));
          }
        }
      }
    };
  }
}
