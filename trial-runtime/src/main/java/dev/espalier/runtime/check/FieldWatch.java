package dev.espalier.runtime.check;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The fields of a program, so that those that training changes can be named.
///
/// A hint for whoever looks for state outside the tables, not a proof: a field that holds only room
/// to compute in changes, too.
final class FieldWatch {
  private static final int DEPTH = 4;

  /// Elements of a collection that are looked at.
  private static final int ELEMENTS = 10_000;

  private final Map<String, Long> values = new TreeMap<>();
  private final Map<Object, Boolean> seen = new IdentityHashMap<>();

  private FieldWatch() {}

  /// {@return the fields of `program` as they are now, those of what it refers to and the static
  /// ones included}
  static FieldWatch of(Object program) {
    var watch = new FieldWatch();
    watch.look(program, program.getClass().getSimpleName() + ".", DEPTH);
    return watch;
  }

  /// {@return the names of fields that are not as they were in `before`}
  List<String> changedSince(FieldWatch before) {
    return values.entrySet().stream()
        .filter(field -> !field.getValue().equals(before.values.get(field.getKey())))
        .map(Map.Entry::getKey)
        .toList();
  }

  private void look(Object owner, String prefix, int depth) {
    if (seen.put(owner, true) != null) {
      return;
    }
    for (Class<?> type = owner.getClass();
        type != null && isTheUsers(type);
        type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (!field.isSynthetic()) {
          look(field, owner, prefix, depth);
        }
      }
    }
  }

  private void look(Field field, Object owner, String prefix, int depth) {
    try {
      field.setAccessible(true);
      Object value = field.get(Modifier.isStatic(field.getModifiers()) ? null : owner);
      String name = prefix + field.getName();
      if (value != null && isTheUsers(value.getClass()) && !(value instanceof Enum) && depth > 0) {
        look(value, name + ".", depth - 1);
      } else {
        values.put(name, print(value, depth));
      }
    } catch (IllegalAccessException | InaccessibleObjectException _) {
      // Out of sight: it cannot be named.
    }
  }

  private static boolean isTheUsers(Class<?> type) {
    return !type.isArray()
        && !type.isPrimitive()
        && type.getClassLoader() != null
        && !type.getName().startsWith("jdk.");
  }

  private static long print(Object value, int depth) {
    return switch (value) {
      case null -> 0;
      case float[] array -> Arrays.hashCode(array);
      case double[] array -> Arrays.hashCode(array);
      case int[] array -> Arrays.hashCode(array);
      case long[] array -> Arrays.hashCode(array);
      case byte[] array -> Arrays.hashCode(array);
      case short[] array -> Arrays.hashCode(array);
      case char[] array -> Arrays.hashCode(array);
      case boolean[] array -> Arrays.hashCode(array);
      case Object[] array when depth > 0 ->
          Arrays.stream(array)
              .limit(ELEMENTS)
              .mapToLong(element -> print(element, depth - 1))
              .reduce(array.length, (sum, one) -> 31 * sum + one);
      case Object array when array.getClass().isArray() -> Array.getLength(array);
      case Collection<?> all when depth > 0 ->
          all.stream()
              .limit(ELEMENTS)
              .mapToLong(element -> print(element, depth - 1))
              .reduce(all.size(), (sum, one) -> 31 * sum + one);
      case Map<?, ?> map when depth > 0 ->
          map.entrySet().stream()
              .limit(ELEMENTS)
              .mapToLong(entry ->
                  31 * print(entry.getKey(), depth - 1) + print(entry.getValue(), depth - 1))
              .reduce(map.size(), Long::sum);
      case Number number -> number.toString().hashCode();
      case Serializable plain -> serialized(plain);
      default -> System.identityHashCode(value);
    };
  }

  /// How a random generator stands, for one.
  private static long serialized(Serializable value) {
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(value);
    } catch (IOException _) {
      return System.identityHashCode(value);
    }
    return Arrays.hashCode(bytes.toByteArray());
  }
}
