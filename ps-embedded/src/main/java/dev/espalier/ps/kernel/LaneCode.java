package dev.espalier.ps.kernel;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An update rule as a loop of machine code (x86-64 with AVX): what is computed of eight elements
/// at once, written down as expressions and assembled.
///
/// The loop reads the page as it was, sums of gradients and constants, and writes the page as it
/// will be, past the caches. Every operation is rounded as Java does. Not thread-safe.
final class LaneCode {
  /*
   * Its call, as System V has it: rdi is the page as it was, rsi the page as it will be, rdx the bytes
   * of a plane of either, rcx the sums, r8 the constants, each of them eight times, r9 the bytes to
   * step in a plane. rax is made three planes. Operands in memory need no alignment, but for what is
   * written past the caches.
   */

  /// Floats in a register.
  static final int LANES = 8;

  /// What one pass of the loop writes of a plane, and a call any number of: a line of the caches,
  /// so that none is left half written while the others are.
  static final int PASS_BYTES = 64;

  /// How far ahead of its turn memory is asked for. The processor does so by itself, but not beyond
  /// a page of the system, and a loop that reads, computes and writes so much has few passes in
  /// flight.
  private static final int AHEAD_BYTES = 3072;

  private static final int REGISTER_BYTES = LANES * Float.BYTES;
  private static final int REGISTERS = 16;

  private static final int RAX = 0;
  private static final int RCX = 1;
  private static final int RDX = 2;
  private static final int RSI = 6;
  private static final int RDI = 7;
  private static final int R8 = 8;
  private static final int NONE = -1;

  // Comparisons: all but the last are false where there is a NaN.
  private static final int EQUAL = 0x00;
  private static final int AT_MOST = 0x12;
  private static final int UNORDERED = 0x03;

  private final boolean isOverGradient;
  private final List<Operation> operations = new ArrayList<>();
  private final List<Store> stores = new ArrayList<>();

  /// @param isOverGradient whether the sums lie where the parameters will be; what was just read is
  ///   in the caches, so parameters that are written over it need not go past these
  LaneCode(boolean isOverGradient) {
    this.isOverGradient = isOverGradient;
  }

  /// Memory at `base + (index << scale) + offset`, registers by number.
  private record Place(int base, int index, int scale, int offset) {
    boolean isConstant() {
      return base == R8;
    }

    Place plus(int bytes) {
      return isConstant() ? this : new Place(base, index, scale, offset + bytes);
    }
  }

  private static Place plane(int base, int plane) {
    return switch (plane) {
      case 0 -> new Place(base, NONE, 0, 0);
      case 1 -> new Place(base, RDX, 0, 0);
      case 2 -> new Place(base, RDX, 1, 0);
      case 3 -> new Place(base, RAX, 0, 0);
      default -> throw new IllegalArgumentException("plane is %d".formatted(plane));
    };
  }

  /// How an instruction is written.
  ///
  /// @param map of opcodes: 1 is `0f`, 3 is `0f3a`
  /// @param prefix 0 is none, 1 is `66`
  private record Opcode(int map, int prefix, int code) {
    static final Opcode LOAD = plain(0x10);
    static final Opcode STORE = plain(0x11);
    static final Opcode STREAM = plain(0x2b);
    static final Opcode SQRT = plain(0x51);
    static final Opcode AND = plain(0x54);
    static final Opcode OR = plain(0x56);
    static final Opcode ADD = plain(0x58);
    static final Opcode MUL = plain(0x59);
    static final Opcode SUB = plain(0x5c);
    static final Opcode DIV = plain(0x5e);
    static final Opcode MAX = plain(0x5f);
    static final Opcode COMPARE = plain(0xc2);
    static final Opcode BLEND = new Opcode(3, 1, 0x4a);

    private static Opcode plain(int code) {
      return new Opcode(1, 0, code);
    }
  }

  /// One instruction that computes lanes.
  ///
  /// @param left null when it has one operand
  /// @param mask null when it is no blend
  /// @param comparison or [#NONE]
  private record Operation(
      Opcode opcode, @Nullable Lanes left, Lanes right, @Nullable Lanes mask, int comparison) {
    List<Lanes> operands() {
      var all = new ArrayList<Lanes>();
      all.add(right);
      if (left != null) {
        all.add(left);
      }
      if (mask != null) {
        all.add(mask);
      }
      return all;
    }
  }

  private record Store(int plane, Lanes lanes) {}

  /// Eight floats, or of a comparison eight times all bits or none.
  final class Lanes {
    // Null for what is computed.
    private final @Nullable Place place;
    private final int index;

    private Lanes(@Nullable Place place, int index) {
      this.place = place;
      this.index = index;
    }

    private Lanes inRegister() {
      return place == null ? this : loaded(place);
    }

    private Lanes with(Opcode opcode, Lanes other) {
      return compute(new Operation(opcode, inRegister(), other, null, NONE));
    }

    Lanes add(Lanes other) {
      return with(Opcode.ADD, other);
    }

    Lanes sub(Lanes other) {
      return with(Opcode.SUB, other);
    }

    Lanes mul(Lanes other) {
      return with(Opcode.MUL, other);
    }

    Lanes div(Lanes other) {
      return with(Opcode.DIV, other);
    }

    Lanes sqrt() {
      return compute(new Operation(Opcode.SQRT, null, this, null, NONE));
    }

    Lanes and(Lanes other) {
      return with(Opcode.AND, other);
    }

    Lanes or(Lanes other) {
      return with(Opcode.OR, other);
    }

    /// The greater one, as Java has it: NaN where either is, and 0 above -0.
    Lanes max(Lanes other) {
      return with(Opcode.MAX, other)
          .where(compared(EQUAL, other), and(other))
          .where(compared(UNORDERED, other), add(other));
    }

    Lanes isAtMost(Lanes other) {
      return compared(AT_MOST, other);
    }

    private Lanes compared(int how, Lanes other) {
      return compute(new Operation(Opcode.COMPARE, inRegister(), other, null, how));
    }

    /// {@return these, and `other` where a comparison holds}
    Lanes where(Lanes holds, Lanes other) {
      return compute(new Operation(Opcode.BLEND, inRegister(), other, holds.inRegister(), NONE));
    }
  }

  private Lanes compute(Operation operation) {
    operations.add(operation);
    return new Lanes(null, operations.size() - 1);
  }

  private Lanes loaded(Place place) {
    return compute(new Operation(Opcode.LOAD, null, new Lanes(place, NONE), null, NONE));
  }

  /// The sums of gradients.
  Lanes sums() {
    return loaded(new Place(RCX, NONE, 0, 0));
  }

  /// Parameters (plane 0) or state (planes 1 to 3) as they were.
  Lanes load(int plane) {
    return loaded(plane(RDI, plane));
  }

  /// A constant, by its index among them.
  Lanes constant(int index) {
    return new Lanes(new Place(R8, NONE, 0, index * REGISTER_BYTES), NONE);
  }

  /// Parameters or state as they will be.
  void store(int plane, Lanes lanes) {
    stores.add(new Store(plane, lanes.inRegister()));
  }

  /// {@return the code}
  ///
  /// @throws IllegalStateException when more is to be kept than there are registers
  byte[] assemble() {
    var code = new Bytes();
    code.put(0x48, 0x8d, 0x04, 0x52); // lea rax, [rdx+rdx*2]
    int pass = code.size();
    for (Operation operation : operations) {
      Place place = operation.right().place;
      if (place != null && !place.isConstant()) {
        code.put(0x0f, 0x18); // prefetcht0
        code.putPlace(1, place.plus(AHEAD_BYTES));
      }
    }
    for (int half = 0; half < PASS_BYTES / REGISTER_BYTES; half++) {
      assemble(code, half);
    }
    code.put(0x48, 0x83, 0xc7, PASS_BYTES); // add rdi, 64
    code.put(0x48, 0x83, 0xc6, PASS_BYTES); // add rsi, 64
    code.put(0x48, 0x83, 0xc1, PASS_BYTES); // add rcx, 64
    code.put(0x49, 0x83, 0xe9, PASS_BYTES); // sub r9, 64
    code.put(0x0f, 0x85); // jnz pass
    code.putInt(pass - (code.size() + Integer.BYTES));
    code.put(0x0f, 0xae, 0xf8); // sfence
    code.put(0xc5, 0xf8, 0x77); // vzeroupper
    code.put(0xc3); // ret
    return code.toByteArray();
  }

  private void assemble(Bytes code, int half) {
    int[] lastUse = lastUses();
    int[] register = new int[operations.size()];
    var taken = new BitSet(REGISTERS);
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      for (Lanes operand : operation.operands()) {
        if (operand.index != NONE && lastUse[operand.index] == i) {
          taken.clear(register[operand.index]);
        }
      }
      register[i] = taken.nextClearBit(0);
      if (register[i] >= REGISTERS) {
        throw new IllegalStateException("a rule keeps more than %d values".formatted(REGISTERS));
      }
      taken.set(register[i]);
      Lanes left = operation.left();
      Lanes mask = operation.mask();
      code.putOpcode(
          operation.opcode(),
          register[i],
          left == null ? 0 : register[left.index],
          operation.right(),
          register,
          half);
      if (mask != null) {
        code.put(register[mask.index] << 4);
      }
      if (operation.comparison() != NONE) {
        code.put(operation.comparison());
      }
    }
    for (Store store : stores) {
      boolean isInCache = isOverGradient && store.plane() == 0;
      code.putOpcode(
          isInCache ? Opcode.STORE : Opcode.STREAM,
          register[store.lanes().index],
          0,
          new Lanes(plane(RSI, store.plane()), NONE),
          register,
          half);
    }
  }

  private int[] lastUses() {
    int[] lastUse = new int[operations.size()];
    for (int i = 0; i < operations.size(); i++) {
      for (Lanes operand : operations.get(i).operands()) {
        if (operand.index != NONE) {
          lastUse[operand.index] = i;
        }
      }
    }
    for (Store store : stores) {
      lastUse[store.lanes().index] = operations.size();
    }
    return lastUse;
  }

  /// Code as it grows.
  private static final class Bytes extends ByteArrayOutputStream {
    void put(int... bytes) {
      for (int one : bytes) {
        write(one);
      }
    }

    void putInt(int value) {
      for (int i = 0; i < Integer.BYTES; i++) {
        write(value >> 8 * i);
      }
    }

    /// An instruction in the long form of the prefix VEX, on 256 bits, up to its last byte if that
    /// is a register or a comparison.
    ///
    /// @param left register, 0 when there is none
    void putOpcode(Opcode opcode, int target, int left, Lanes right, int[] register, int half) {
      Place place = right.place == null ? null : right.place.plus(half * REGISTER_BYTES);
      int base = place == null ? register[right.index] : place.base();
      put(
          0xc4,
          (target >= 8 ? 0 : 0x80) | 0x40 | (base >= 8 ? 0 : 0x20) | opcode.map(),
          (~left & 0xf) << 3 | 0x04 | opcode.prefix(),
          opcode.code());
      if (place == null) {
        put(0xc0 | (target & 7) << 3 | base & 7);
      } else {
        putPlace(target & 7, place);
      }
    }

    /// The bytes that say which register, or what else stands there, and which memory.
    void putPlace(int middle, Place place) {
      if (place.index() == NONE) {
        put(0x80 | middle << 3 | place.base() & 7);
      } else {
        put(0x84 | middle << 3, place.scale() << 6 | place.index() << 3 | place.base());
      }
      putInt(place.offset());
    }
  }
}
