package dev.espalier.tuner.persistence;

import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.module.SimpleModule;

/// For JSON that people and browsers read: it has no NaN, so a number that is not finite is null.
public final class FiniteNumbersModule extends SimpleModule {
  private static final long serialVersionUID = 1L;

  /// Makes the module.
  @SuppressWarnings("this-escape")
  public FiniteNumbersModule() {
    super("espalier-finite-numbers");
    addSerializer(Double.class, new FiniteOrNull());
  }

  private static final class FiniteOrNull extends ValueSerializer<Double> {
    @Override
    public void serialize(Double value, JsonGenerator out, SerializationContext context) {
      if (Double.isFinite(value)) {
        out.writeNumber(value);
      } else {
        out.writeNull();
      }
    }
  }
}
