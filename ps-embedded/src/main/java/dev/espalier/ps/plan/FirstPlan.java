package dev.espalier.ps.plan;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MutableCallSite;

/// Whether this process has come by a plan for single floats; compiled code takes it for a
/// constant.
///
/// The compiler makes a part of a program's loop what was called from there most. That would be,
/// for ever, the long way on which the first clocks were recorded: a call beside the load or store
/// that an access is later, after which the loop knows nothing any more of what it had loaded. What
/// only runs once there is a plan is looked at anew, without what was before.
final class FirstPlan {
  private static final MutableCallSite SITE = new MutableCallSite(constant(false));
  private static final MethodHandle HAS_COME = SITE.dynamicInvoker();

  private FirstPlan() {}

  private static MethodHandle constant(boolean value) {
    return MethodHandles.constant(boolean.class, value);
  }

  static boolean hasCome() {
    try {
      return (boolean) HAS_COME.invokeExact();
    } catch (Throwable e) {
      throw new IllegalStateException("a constant throws nothing", e);
    }
  }

  /// There is one now; what was compiled before is given up.
  static void comes() {
    Come.now();
  }

  /// What is done once.
  private static final class Come {
    static {
      SITE.setTarget(constant(true));
      MutableCallSite.syncAll(new MutableCallSite[] {SITE});
    }

    private Come() {}

    static void now() {}
  }
}
