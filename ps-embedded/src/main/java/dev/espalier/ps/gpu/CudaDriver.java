package dev.espalier.ps.gpu;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/// The door to the driver of one device: memory, streams, events and kernels by address and handle.
///
/// Uses the device's primary context, which other libraries of the process use too, so that their
/// addresses mean the same. Every failed call is a [PsException] that names it. Thread-safe, except
/// that a [Launch] belongs to one thread at a time.
final class CudaDriver implements AutoCloseable {
  private static final int STREAM_NON_BLOCKING = 1;
  private static final int EVENT_DISABLE_TIMING = 2;
  private static final int HOST_ALLOC_PORTABLE = 1;
  private static final int OUT_OF_MEMORY = 2;
  private static final int DEVICE_UNAVAILABLE = 46;

  /// A queue of work of the device, done in order.
  record Stream(CUstream handle) {}

  /// A moment in a stream.
  record Event(CUevent handle) {}

  /// A kernel.
  record Function(CUfunction handle, String name) {}

  /// An address of the host for calls that take a pointer.
  private static final class HostAddress extends Pointer {
    HostAddress() {}

    HostAddress(long address) {
      super(address);
    }

    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  /// An address of the device.
  private static final class DeviceAddress extends CUdeviceptr {
    DeviceAddress() {}

    DeviceAddress(long address) {
      super(new CUdeviceptr(), address);
    }

    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final List<CUmodule> modules = new CopyOnWriteArrayList<>();

  private CudaDriver() {}

  /// Opens a device that a [GpuProbe] has found.
  ///
  /// @param index of the device
  /// @param ptx the kernels
  /// @throws PsException `DEVICE_FAILED` when the binding does not load, the device is busy or
  ///   refuses the kernels
  static CudaDriver open(int index, byte[] ptx) {
    loadBinding();
    CudaDriver driver = new CudaDriver();
    check(JCudaDriver.cuInit(0), "cuInit");
    check(JCudaDriver.cuDeviceGet(driver.device, index), "cuDeviceGet of device " + index);
    int result = JCudaDriver.cuDevicePrimaryCtxRetain(driver.context, driver.device);
    if (result == DEVICE_UNAVAILABLE || result == OUT_OF_MEMORY) {
      throw new PsException(
          PsFault.DEVICE_FAILED,
          "device %d is busy: another process holds it or all of its memory (%s)"
              .formatted(index, CUresult.stringFor(result)));
    }
    check(result, "cuDevicePrimaryCtxRetain of device " + index);
    try {
      driver.load(ptx);
    } catch (RuntimeException e) {
      Releases all = new Releases();
      all.run(driver::close);
      throw all.because(e);
    }
    return driver;
  }

  /// Loads kernels.
  ///
  /// @param ptx their text
  void load(byte[] ptx) {
    enter();
    CUmodule module = new CUmodule();
    byte[] terminated = Arrays.copyOf(ptx, ptx.length + 1);
    check(JCudaDriver.cuModuleLoadData(module, terminated), "cuModuleLoadData");
    modules.add(module);
  }

  /// Loads the binding's library.
  ///
  /// It unpacks itself to a fixed name in the directory for temporary files, where two processes
  /// that start together would meet; so it gets a directory of its own for that moment. A library
  /// that is loaded needs its file no more, and a process that is killed could not delete it.
  private static void loadBinding() {
    String shared = System.getProperty("java.io.tmpdir");
    try {
      Path own = Files.createTempDirectory("espalier-gpu");
      System.setProperty("java.io.tmpdir", own.toString());
      try {
        JCudaDriver.setExceptionsEnabled(false);
      } finally {
        delete(own);
      }
    } catch (IOException | LinkageError e) {
      throw new PsException(
          PsFault.DEVICE_FAILED, "the binding to the device's driver does not load: " + e, e);
    } finally {
      System.setProperty("java.io.tmpdir", shared);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (var files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }

  /// Makes the context that of the calling thread.
  private void enter() {
    check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
  }

  private static void check(int result, String what) {
    if (result != CUresult.CUDA_SUCCESS) {
      throw failed(result, what);
    }
  }

  // The text is put together only when it is needed: copies and launches are many.

  private static void check(int result, String what, String of) {
    if (result != CUresult.CUDA_SUCCESS) {
      throw failed(result, what + " of " + of);
    }
  }

  private static void check(int result, String what, long bytes) {
    if (result != CUresult.CUDA_SUCCESS) {
      throw failed(result, "%s of %d bytes".formatted(what, bytes));
    }
  }

  private static PsException failed(int result, String what) {
    return new PsException(
        result == OUT_OF_MEMORY ? PsFault.OUT_OF_MEMORY_BUDGET : PsFault.DEVICE_FAILED,
        "%s failed: %s".formatted(what, CUresult.stringFor(result)));
  }

  // ---- memory

  /// Allocates memory of the device, aligned to 256 bytes, with undefined content.
  long allocate(long bytes) {
    enter();
    DeviceAddress address = new DeviceAddress();
    check(JCudaDriver.cuMemAlloc(address, bytes), "cuMemAlloc", bytes);
    return address.value();
  }

  /// Frees memory of the device.
  void free(long address) {
    enter();
    check(JCudaDriver.cuMemFree(new DeviceAddress(address)), "cuMemFree");
  }

  /// Allocates memory of the host that the device can copy by itself.
  @SuppressWarnings("restricted") // the driver says where and how large the block is
  MemorySegment allocatePinned(long bytes) {
    enter();
    HostAddress address = new HostAddress();
    check(JCudaDriver.cuMemHostAlloc(address, bytes, HOST_ALLOC_PORTABLE), "cuMemHostAlloc", bytes);
    return MemorySegment.ofAddress(address.value()).reinterpret(bytes);
  }

  /// Frees memory that was allocated by [#allocatePinned].
  void freePinned(MemorySegment memory) {
    enter();
    check(JCudaDriver.cuMemFreeHost(new HostAddress(memory.address())), "cuMemFreeHost");
  }

  /// Bytes of the device that are free.
  long freeBytes() {
    enter();
    long[] free = new long[1];
    check(JCudaDriver.cuMemGetInfo(free, new long[1]), "cuMemGetInfo");
    return free[0];
  }

  /// Queues a copy from host to device.
  void copyIn(MemorySegment from, long to, Stream stream) {
    enter();
    check(
        JCudaDriver.cuMemcpyHtoDAsync(
            new DeviceAddress(to),
            new HostAddress(from.address()),
            from.byteSize(),
            stream.handle()),
        "cuMemcpyHtoD",
        from.byteSize());
  }

  /// Queues a copy from device to host.
  void copyOut(long from, MemorySegment to, Stream stream) {
    enter();
    check(
        JCudaDriver.cuMemcpyDtoHAsync(
            new HostAddress(to.address()), new DeviceAddress(from), to.byteSize(), stream.handle()),
        "cuMemcpyDtoH",
        to.byteSize());
  }

  /// Queues a copy on the device.
  void copy(long from, long to, long bytes, Stream stream) {
    enter();
    check(
        JCudaDriver.cuMemcpyDtoDAsync(
            new DeviceAddress(to), new DeviceAddress(from), bytes, stream.handle()),
        "cuMemcpyDtoD",
        bytes);
  }

  /// Queues zeros.
  ///
  /// @param bytes a multiple of 4
  void zero(long address, long bytes, Stream stream) {
    enter();
    check(
        JCudaDriver.cuMemsetD32Async(new DeviceAddress(address), 0, bytes / 4, stream.handle()),
        "cuMemsetD32",
        bytes);
  }

  // ---- streams and events

  /// So many streams that no other stream waits for, or none.
  List<Stream> openStreams(int count) {
    return openAll(count, this::openStream, this::close);
  }

  /// Opens a stream that no other stream waits for.
  Stream openStream() {
    enter();
    CUstream stream = new CUstream();
    check(JCudaDriver.cuStreamCreate(stream, STREAM_NON_BLOCKING), "cuStreamCreate");
    return new Stream(stream);
  }

  /// Closes a stream when its work is done.
  void close(Stream stream) {
    enter();
    check(JCudaDriver.cuStreamDestroy(stream.handle()), "cuStreamDestroy");
  }

  /// Waits until all work queued in a stream is done.
  ///
  /// @throws PsException `DEVICE_FAILED` also for a kernel that failed
  void await(Stream stream) {
    enter();
    check(JCudaDriver.cuStreamSynchronize(stream.handle()), "cuStreamSynchronize");
  }

  /// An event that can order streams but not measure them.
  Event openEvent() {
    return openEvent(EVENT_DISABLE_TIMING);
  }

  /// An event that can measure.
  Event openTimer() {
    return openEvent(0);
  }

  /// So many events that can order streams, or none.
  List<Event> openEvents(int count) {
    return openAll(count, this::openEvent, this::close);
  }

  private static <T> List<T> openAll(int count, Supplier<T> opener, Consumer<T> closer) {
    List<T> opened = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        opened.add(opener.get());
      }
    } catch (RuntimeException e) {
      Releases all = new Releases();
      opened.forEach(one -> all.run(() -> closer.accept(one)));
      throw all.because(e);
    }
    return List.copyOf(opened);
  }

  private Event openEvent(int flags) {
    enter();
    CUevent event = new CUevent();
    check(JCudaDriver.cuEventCreate(event, flags), "cuEventCreate");
    return new Event(event);
  }

  /// Closes an event.
  void close(Event event) {
    enter();
    check(JCudaDriver.cuEventDestroy(event.handle()), "cuEventDestroy");
  }

  /// Marks the present end of a stream.
  void record(Event event, Stream stream) {
    enter();
    check(JCudaDriver.cuEventRecord(event.handle(), stream.handle()), "cuEventRecord");
  }

  /// Makes later work of a stream wait for an event.
  void await(Stream stream, Event event) {
    enter();
    check(JCudaDriver.cuStreamWaitEvent(stream.handle(), event.handle(), 0), "cuStreamWaitEvent");
  }

  /// Waits for an event.
  void await(Event event) {
    enter();
    check(JCudaDriver.cuEventSynchronize(event.handle()), "cuEventSynchronize");
  }

  /// Milliseconds between two timers that have happened.
  float millis(Event start, Event end) {
    enter();
    float[] millis = new float[1];
    check(
        JCudaDriver.cuEventElapsedTime(millis, start.handle(), end.handle()), "cuEventElapsedTime");
    return millis[0];
  }

  // ---- kernels

  /// A kernel of what is loaded.
  Function function(String name) {
    enter();
    CUfunction function = new CUfunction();
    int result = CUresult.CUDA_ERROR_NOT_FOUND;
    for (CUmodule module : modules) {
      result = JCudaDriver.cuModuleGetFunction(function, module, name);
      if (result != CUresult.CUDA_ERROR_NOT_FOUND) {
        break;
      }
    }
    check(result, "cuModuleGetFunction of " + name);
    return new Function(function, name);
  }

  /// The arguments of one launch after the other, laid out as the driver reads them.
  final class Launch {
    private static final int MAX_BYTES = 256;
    private static final int MAX_ARGUMENTS = 16;

    private final MemorySegment values = Arena.ofAuto().allocate(MAX_BYTES, 16);
    private final MemorySegment pointers =
        Arena.ofAuto().allocate(ValueLayout.ADDRESS, MAX_ARGUMENTS);
    private int bytes;
    private int count;

    /// Forgets the arguments.
    Launch reset() {
      bytes = 0;
      count = 0;
      return this;
    }

    /// Adds an address or a 64-bit number.
    Launch add(long value) {
      values.set(ValueLayout.JAVA_LONG, place(8), value);
      return this;
    }

    /// Adds a 32-bit number.
    Launch add(int value) {
      values.set(ValueLayout.JAVA_INT, place(4), value);
      return this;
    }

    /// Adds a float.
    Launch add(float value) {
      values.set(ValueLayout.JAVA_FLOAT, place(4), value);
      return this;
    }

    /// Adds a structure of floats.
    Launch add(float[] structure) {
      long at = place(4);
      bytes += 4 * (structure.length - 1);
      MemorySegment.copy(structure, 0, values, ValueLayout.JAVA_FLOAT, at, structure.length);
      return this;
    }

    private long place(int size) {
      int at = (bytes + size - 1) / size * size;
      bytes = at + size;
      pointers.setAtIndex(ValueLayout.ADDRESS, count++, values.asSlice(at));
      return at;
    }

    /// Queues the kernel; its arguments may be changed when this returns.
    void run(Function function, Grid grid, Stream stream) {
      enter();
      check(
          JCudaDriver.cuLaunchKernel(
              function.handle(),
              grid.blocksX(),
              grid.blocksY(),
              1,
              grid.threadsX(),
              grid.threadsY(),
              1,
              0,
              stream.handle(),
              new HostAddress(pointers.address()),
              null),
          "launch",
          function.name());
    }
  }

  /// Room for the arguments of launches.
  Launch launch() {
    return new Launch();
  }

  /// How many threads a kernel gets.
  ///
  /// @param blocksX blocks that share a run or the rows, >= 1
  /// @param blocksY blocks over the runs, in [1, 65535]
  /// @param threadsX threads of a block that share a run or a row
  /// @param threadsY runs or rows of a block
  record Grid(int blocksX, int blocksY, int threadsX, int threadsY) {}

  /// Gives the device back.
  @Override
  public void close() {
    Releases all = new Releases();
    all.run(this::enter);
    for (CUmodule module : modules) {
      all.run(() -> check(JCudaDriver.cuModuleUnload(module), "cuModuleUnload"));
    }
    all.run(
        () -> check(JCudaDriver.cuDevicePrimaryCtxRelease(device), "cuDevicePrimaryCtxRelease"));
    all.end();
  }
}
