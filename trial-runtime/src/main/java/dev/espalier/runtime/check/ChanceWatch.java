package dev.espalier.runtime.check;

import dev.espalier.sdk.ForwardingProgram;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;

/// A program of which is known whether its clocks draw from `context.random()`: two workers draw
/// other numbers than one does, and what comes of it may differ.
final class ChanceWatch extends ForwardingProgram {
  private static final String RANDOM = "random";

  private final AtomicBoolean draws;

  /// @param draws becomes true with the first clock that draws
  ChanceWatch(TrainingProgram program, AtomicBoolean draws) {
    super(program);
    this.draws = draws;
  }

  @Override
  public Progress clock(ProgramContext context) {
    return super.clock(
        (ProgramContext)
            Proxy.newProxyInstance(
                ProgramContext.class.getClassLoader(),
                new Class<?>[] {ProgramContext.class},
                (_, method, arguments) -> call(context, method, arguments)));
  }

  private Object call(ProgramContext context, Method method, Object[] arguments) throws Throwable {
    if (method.getName().equals(RANDOM)) {
      draws.set(true);
    }
    try {
      return method.invoke(context, arguments);
    } catch (InvocationTargetException thrown) {
      throw thrown.getCause();
    }
  }
}
