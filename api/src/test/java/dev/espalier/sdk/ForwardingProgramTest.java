package dev.espalier.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ForwardingProgramTest {
  /// What calls are made with and answered by; each is told apart from others by its identity.
  private static final Map<Class<?>, Object> VALUES =
      Map.of(
          ProgramDescriptor.class,
          ProgramDescriptor.of("forwarded", "Says what it is asked.", MetricSpec.minimize("loss")),
          ProgramEnvironment.class,
          new ProgramEnvironment(Map.of(), Optional.empty(), 0, 1, 1),
          ProgramShape.class,
          new ProgramShape(List.of(TableDeclaration.dense("w", 1, 1, "sgd")), 1, 1),
          ProgramContext.class,
          Proxy.newProxyInstance(
              ProgramContext.class.getClassLoader(),
              new Class<?>[] {ProgramContext.class},
              (_, method, _) -> {
                throw new AssertionError(method);
              }),
          Progress.class,
          new Progress(1, 1),
          Evaluation.class,
          new Evaluation(Map.of(), 0),
          String.class,
          "w",
          List.class,
          List.of("first row"));

  private record Call(Method method, List<Object> arguments) {}

  private static final class Forwarding extends ForwardingProgram {
    Forwarding(TrainingProgram program) {
      super(program);
    }
  }

  static Stream<Method> methods() {
    return Arrays.stream(TrainingProgram.class.getMethods())
        .filter(method -> !Modifier.isStatic(method.getModifiers()));
  }

  @ParameterizedTest
  @MethodSource("methods")
  void everyCallIsHandedOnAsItIs(Method method) throws Exception {
    var calls = new ArrayList<Call>();
    var recording =
        (TrainingProgram)
            Proxy.newProxyInstance(
                TrainingProgram.class.getClassLoader(),
                new Class<?>[] {TrainingProgram.class},
                (_, called, arguments) -> {
                  calls.add(new Call(called, arguments == null ? List.of() : List.of(arguments)));
                  return VALUES.get(called.getReturnType());
                });
    Object[] arguments = Arrays.stream(method.getParameterTypes()).map(VALUES::get).toArray();

    Object answer = method.invoke(new Forwarding(recording), arguments);

    assertThat(calls).hasSize(1);
    assertThat(calls.getFirst().method()).isEqualTo(method);
    assertThat(calls.getFirst().arguments())
        .zipSatisfy(List.of(arguments), (given, said) -> assertThat(given == said).isTrue());
    assertThat(answer).isSameAs(VALUES.get(method.getReturnType()));
  }
}
