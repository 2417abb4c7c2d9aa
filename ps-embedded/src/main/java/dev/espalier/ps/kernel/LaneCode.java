package dev.espalier.ps.kernel;

import static java.util.Objects.requireNonNull;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// An update rule as a loop of machine code (x86-64 with AVX or AVX-512): what is computed of the
/// elements of a register at once, written down as expressions and assembled.
///
/// The loop reads the page as it was, sums of gradients and constants, and writes the page as it
/// will be, past the caches. Every operation is rounded as Java does. Not thread-safe.
final class LaneCode {
  /*
   * Its call, as System V has it: rdi is the page as it was, rsi the page as it will be, rdx the bytes
   * of a plane of either, rcx the sums, r8 the constants, each as often as a register has lanes, r9 the bytes to
   * step in a plane. rax is made three planes. Operands in memory need no alignment, but for what is
   * written past the caches.
   */

  /// The registers that are used.
  enum Width {
    /// Of 256 bits: AVX.
    NARROW(8, 16),
    /// Of 512 bits: AVX-512 F. A line of the caches is written by one store, which most rules gain
    /// by.
    WIDE(16, 32);

    private final int lanes;
    private final int registers;

    Width(int lanes, int registers) {
      this.lanes = lanes;
      this.registers = registers;
    }

    /// Floats in a register.
    int lanes() {
      return lanes;
    }

    private int bytes() {
      return lanes * Float.BYTES;
    }
  }

  /// What one pass of the loop writes of a plane, and a call any number of: a line of the caches,
  /// so that none is left half written while the others are.
  static final int PASS_BYTES = 64;

  /// How far ahead of its turn memory is asked for. The processor does so by itself, but not beyond
  /// a page of the system, and a loop that reads, computes and writes so much has few passes in
  /// flight.
  private static final int AHEAD_BYTES = 3072;

  /// Masks have registers of their own if they are wide; the first of these means none.
  private static final int MASKS = 8;

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

  private final Width width;
  private final boolean isOverGradient;
  private final List<Operation> operations = new ArrayList<>();
  private final List<Store> stores = new ArrayList<>();

  /// @param isOverGradient whether the sums lie where the parameters will be; what was just read is
  ///   in the caches, so parameters that are written over it need not go past these
  LaneCode(Width width, boolean isOverGradient) {
    this.width = width;
    this.isOverGradient = isOverGradient;
  }

  /// Memory at `base + (index << scale) + offset`, registers by number.
  private record Place(int base, int index, int scale, int offset) implements Comparable<Place> {
    boolean isConstant() {
      return base == R8;
    }

    Place plus(int bytes) {
      return isConstant() ? this : new Place(base, index, scale, offset + bytes);
    }

    @Override
    public int compareTo(Place other) {
      return Integer.compare(offset, other.offset);
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
  /// @param map of opcodes: 1 is `0f`, 2 is `0f38`, 3 is `0f3a`
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

    // These are of integers or have another form where registers are wide.
    static final Opcode WIDE_AND = new Opcode(1, 1, 0xdb);
    static final Opcode WIDE_OR = new Opcode(1, 1, 0xeb);
    static final Opcode WIDE_BLEND = new Opcode(2, 1, 0x65);

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

  /// The floats of a register, or of a comparison a mask.
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
    return new Lanes(new Place(R8, NONE, 0, index * width.bytes()), NONE);
  }

  /// Parameters or state as they will be.
  void store(int plane, Lanes lanes) {
    stores.add(new Store(plane, lanes.inRegister()));
  }

  /// {@return the code}
  ///
  /// @throws IllegalStateException when more is to be kept than there are registers
  byte[] assemble() {
    var code = new Bytes(registers());
    code.put(0x48, 0x8d, 0x04, 0x52); // lea rax, [rdx+rdx*2]
    code.putConstants();
    int pass = code.size();
    for (Operation operation : operations) {
      Place place = operation.right().place;
      if (place != null && !place.isConstant()) {
        code.put(0x0f, 0x18); // prefetcht0
        code.putPlace(1, place.plus(AHEAD_BYTES));
      }
    }
    for (int at = 0; at < PASS_BYTES; at += width.bytes()) {
      assemble(code, at);
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

  /// @param at bytes from the beginning of the pass
  private void assemble(Bytes code, int at) {
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      if (!code.registers.isAtHome(operation)) {
        code.putOperation(operation, i, at);
      }
    }
    for (Store store : stores) {
      boolean isInCache = isOverGradient && store.plane() == 0;
      Opcode opcode = isInCache ? Opcode.STORE : Opcode.STREAM;
      code.putStore(opcode, store.lanes(), plane(RSI, store.plane()).plus(at));
    }
  }

  /// Constants have their registers for all of the loop, as far as there are registers that what is
  /// computed does not need: what is read from memory in each pass costs time, and lines of the
  /// caches that it lies across cost twice as much.
  private Registers registers() {
    int others = new Registers(Map.of()).most;
    Map<Place, Long> uses =
        operations.stream()
            .map(operation -> operation.right().place)
            .filter(place -> place != null && place.isConstant())
            .collect(
                Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting()));
    var homes = new LinkedHashMap<Place, Integer>();
    uses.entrySet().stream()
        .sorted(Map.Entry.<Place, Long>comparingByValue().reversed())
        .limit(width.registers - others)
        .forEach(use -> homes.put(use.getKey(), others + homes.size()));
    return new Registers(homes);
  }

  /// Which register holds what.
  private final class Registers {
    /// By operation.
    private final int[] of = new int[operations.size()];

    private final Map<Place, Integer> homes;
    private final BitSet taken = new BitSet();
    private final BitSet takenMasks = new BitSet();

    /// How many are taken at a time, but for homes.
    private int most;

    /// @param homes of constants
    Registers(Map<Place, Integer> homes) {
      this.homes = homes;
      takenMasks.set(0);
      int[] lastUse = lastUses();
      for (int i = 0; i < of.length; i++) {
        Operation operation = operations.get(i);
        for (Lanes operand : operation.operands()) {
          if (operand.index != NONE && lastUse[operand.index] == i) {
            leave(operand.index);
          }
        }
        of[i] = isAtHome(operation) ? home(operation.right()) : take(operation);
      }
    }

    private int take(Operation operation) {
      if (isWideMask(operation)) {
        return take(takenMasks, MASKS);
      }
      int free = take(taken, width.registers - homes.size());
      most = Math.max(most, free + 1);
      return free;
    }

    private static int take(BitSet taken, int most) {
      int free = taken.nextClearBit(0);
      if (free >= most) {
        throw new IllegalStateException("a rule keeps more than %d values".formatted(most));
      }
      taken.set(free);
      return free;
    }

    private void leave(int index) {
      Operation operation = operations.get(index);
      if (!isAtHome(operation)) {
        (isWideMask(operation) ? takenMasks : taken).clear(of[index]);
      }
    }

    /// Whether it loads what has been loaded before the loop.
    boolean isAtHome(Operation operation) {
      return operation.opcode().equals(Opcode.LOAD) && home(operation.right()) != NONE;
    }

    /// The register of a constant that has one for all of the loop.
    private int home(Lanes lanes) {
      Place place = lanes.place;
      return place == null ? NONE : homes.getOrDefault(place, NONE);
    }

    /// The register in which lanes are, [#NONE] if they are in memory.
    int of(Lanes lanes) {
      return lanes.place == null ? of[lanes.index] : home(lanes);
    }
  }

  private boolean isWideMask(Operation operation) {
    return width == Width.WIDE && operation.opcode().equals(Opcode.COMPARE);
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
  private final class Bytes extends ByteArrayOutputStream {
    private final Registers registers;

    Bytes(Registers registers) {
      this.registers = registers;
    }

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

    void putConstants() {
      registers.homes.forEach((place, home) -> putOpcode(Opcode.LOAD, home, 0, place, NONE));
    }

    void putStore(Opcode opcode, Lanes lanes, Place place) {
      putOpcode(opcode, registers.of(lanes), 0, place, NONE);
    }

    /// @param at where in the pass memory is read
    void putOperation(Operation operation, int index, int at) {
      Lanes left = operation.left();
      Lanes right = operation.right();
      Lanes mask = operation.mask();
      Opcode opcode = operation.opcode();
      int target = registers.of[index];
      int leftRegister = left == null ? 0 : registers.of(left);
      int maskRegister = mask == null ? NONE : registers.of(mask);
      int register = registers.of(right);
      if (register != NONE) {
        putOpcode(opcode, target, leftRegister, register, maskRegister);
      } else {
        Place place = requireNonNull(right.place).plus(at);
        putOpcode(opcode, target, leftRegister, place, maskRegister);
      }
      if (mask != null && width == Width.NARROW) {
        put(maskRegister << 4);
      }
      if (operation.comparison() != NONE) {
        put(operation.comparison());
      }
    }

    private void putOpcode(Opcode opcode, int target, int left, int right, int mask) {
      putPrefix(opcode, target, left, right, mask);
      put(0xc0 | (target & 7) << 3 | right & 7);
    }

    private void putOpcode(Opcode opcode, int target, int left, Place right, int mask) {
      putPrefix(opcode, target, left, right.base(), mask);
      putPlace(target & 7, right);
    }

    /// All up to the byte that says which registers.
    ///
    /// @param left register, 0 when there is none
    /// @param base register in the place of the last operand
    /// @param mask register, [#NONE] when there is none
    private void putPrefix(Opcode opcode, int target, int left, int base, int mask) {
      if (width == Width.WIDE) {
        putWide(wide(opcode), target, left, base, Math.max(mask, 0));
      } else {
        putNarrow(opcode, target, left, base);
      }
    }

    /// The long form of the prefix VEX, of 256 bits.
    private void putNarrow(Opcode opcode, int target, int left, int base) {
      put(
          0xc4,
          unless(target, 8, 0x80) | 0x40 | unless(base, 8, 0x20) | opcode.map(),
          (~left & 0xf) << 3 | 0x04 | opcode.prefix(),
          opcode.code());
    }

    /// The prefix EVEX, of 512 bits.
    private void putWide(Opcode opcode, int target, int left, int base, int mask) {
      put(
          0x62,
          unless(target, 8, 0x80)
              | unless(base, 16, 0x40)
              | unless(base, 8, 0x20)
              | unless(target, 16, 0x10)
              | opcode.map(),
          (~left & 0xf) << 3 | 0x04 | opcode.prefix(),
          0x40 | unless(left, 16, 0x08) | mask,
          opcode.code());
    }

    private static int unless(int register, int bit, int otherwise) {
      return (register & bit) == 0 ? otherwise : 0;
    }

    private static Opcode wide(Opcode opcode) {
      if (opcode.equals(Opcode.AND)) {
        return Opcode.WIDE_AND;
      } else if (opcode.equals(Opcode.OR)) {
        return Opcode.WIDE_OR;
      }
      return opcode.equals(Opcode.BLEND) ? Opcode.WIDE_BLEND : opcode;
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
