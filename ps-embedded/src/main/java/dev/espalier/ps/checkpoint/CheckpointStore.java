package dev.espalier.ps.checkpoint;

import static java.util.Objects.requireNonNull;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.branch.Snapshot;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.SettledPages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/// Writes and reads the checkpoints of one shard.
///
/// Thread-safe: one checkpoint is written or read at a time.
public final class CheckpointStore {
  /*
   * A checkpoint is a manifest F and the packs that it names, which lie beside it as F.<n>.pages, with
   * a number n that is the pack's own: under that name it belongs to F alone. Only
   * pages that were written since an earlier checkpoint of this process go into a new pack; packs
   * of earlier checkpoints that still hold pages of the branch are linked beside the manifest. The
   * file system counts the links, so every checkpoint is whole by itself, and whoever deletes one
   * cannot take pages from another. Where there are no links all pages are written.
   *
   * A pack of which less than half is still of use is not linked: its pages are written again, so
   * checkpoints never take more than twice the room of the branch. Nor are more packs linked than some
   * dozens, the fullest: there would be one more with every checkpoint.
   *
   * The pack and the names of all packs are forced to the disk before the manifest takes its name at
   * once. What a crash leaves without a manifest is no checkpoint.
   */
  private static final System.Logger LOG = System.getLogger(CheckpointStore.class.getName());
  private static final String PACK_SUFFIX = ".pages";
  private static final Pattern NUMBER = Pattern.compile("\\.(\\d{1,18})\\.pages$");
  private static final int PIECE_BYTES = 4 << 20;

  /// Less is there sooner through the system's cache.
  private static final long LEAST_BYTES_AROUND_CACHE = 32L << 20;

  private static final int MAX_FAILURES_AROUND_CACHE = 3;

  private static final double LEAST_USE = 0.5;
  private static final int MAX_LINKED_PACKS = 64;

  private final CheckpointShape shape;
  private final int pieceBytes;
  private final long leastBytesAroundCache;
  private final int maxLinkedPacks;
  private final PageCatalog catalog;
  private long nextPack;
  // One after the other, where the way through the cache was open.
  private int failuresAroundCache;

  /// What a checkpoint took.
  ///
  /// @param writtenBytes bytes that went to the disk now
  /// @param totalBytes bytes of all pages of the branch
  public record Written(long writtenBytes, long totalBytes) {}

  /// Creates a store that knows of no checkpoint yet.
  public CheckpointStore(CheckpointShape shape) {
    this(
        shape, PIECE_BYTES, LEAST_BYTES_AROUND_CACHE, MAX_LINKED_PACKS, System.currentTimeMillis());
  }

  /// Creates a store that knows of no checkpoint yet.
  ///
  /// @param pieceBytes so many go to the disk, and come from a device, at a time
  /// @param leastBytesAroundCache from so many on that are to be written they go to the disk past
  ///   the system's cache of files
  /// @param maxLinkedPacks packs of earlier checkpoints of which a checkpoint consists at most
  /// @param nextPack number of the first pack, unless one that is read has a higher one
  CheckpointStore(
      CheckpointShape shape,
      int pieceBytes,
      long leastBytesAroundCache,
      int maxLinkedPacks,
      long nextPack) {
    this.nextPack = nextPack;
    this.leastBytesAroundCache = leastBytesAroundCache;
    this.shape = shape;
    this.pieceBytes = pieceBytes;
    this.maxLinkedPacks = maxLinkedPacks;
    catalog = new PageCatalog(shape.tables().size());
  }

  // ---- writing

  /// Writes a snapshot, on the calling thread; the snapshot stays open.
  ///
  /// @param file the manifest, replaced at once when everything is on the disk
  /// @throws PsException `CHECKPOINT_FAILED` when it cannot be written; then a checkpoint that was
  ///   there is still there, unless the new one is whole in its place and only the name may not
  ///   survive a crash
  public synchronized Written write(Snapshot snapshot, Path file) {
    List<Path> made = new ArrayList<>();
    try {
      Written written = write(snapshot.pages(), file, made);
      deleteStalePacks(file);
      catalog.forgetDeleted();
      return written;
    } catch (IOException | UncheckedIOException e) {
      PsException failure =
          new PsException(
              PsFault.CHECKPOINT_FAILED,
              "checkpoint of %s to %s could not be written: %s"
                  .formatted(
                      snapshot.branch(),
                      file,
                      e instanceof UncheckedIOException unchecked ? unchecked.getCause() : e),
              e);
      made.forEach(path -> deleteAfter(failure, path));
      throw failure;
    } catch (RuntimeException | Error e) {
      made.forEach(path -> deleteAfter(e, path));
      throw e;
    }
  }

  /// Page contents that need not be written again.
  int knownPages() {
    return catalog.size();
  }

  private static void deleteAfter(Throwable failure, Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  private Written write(BranchPages pages, Path file, List<Path> made) throws IOException {
    Map<PageCatalog.Pack, Integer> packs = link(usefulPacks(pages), file, made);
    Packed packed = pack(pages, packs, file, made);
    try {
      List<String> names =
          packs.keySet().stream()
              .map(pack -> packOf(file, pack.number()).getFileName().toString())
              .toList();
      writeManifest(
          new Manifest(shape.description(), steps(pages), names, packed.entries()), file, made);
    } catch (IOException | RuntimeException | Error e) {
      catalog.forget(packed.own());
      throw e;
    }
    return new Written(
        packed.writtenBytes(), packed.entries().stream().mapToLong(Manifest.Entry::bytes).sum());
  }

  /// Where all pages lie, and those that were written now.
  private record Packed(PageCatalog.Pack own, List<Manifest.Entry> entries, long writtenBytes) {}

  private Packed pack(
      BranchPages pages, Map<PageCatalog.Pack, Integer> packs, Path file, List<Path> made)
      throws IOException {
    if (failuresAroundCache >= MAX_FAILURES_AROUND_CACHE
        || bytesBeyond(packs, pages) < leastBytesAroundCache) {
      return pack(pages, packs, file, made, PackWriter.Way.THROUGH_CACHE);
    }
    try {
      Packed packed = pack(pages, packs, file, made, PackWriter.Way.AROUND_CACHE);
      failuresAroundCache = 0;
      return packed;
    } catch (IOException | OutOfMemoryError failure) {
      // Not every file system takes such writes, and not all that do not say so when they open it.
      deleteAfter(failure, made.getLast());
      try {
        Packed packed = pack(pages, packs, file, made, PackWriter.Way.THROUGH_CACHE);
        failuresAroundCache++;
        LOG.log(
            System.Logger.Level.INFO,
            "{0} went through the system''s cache, for past it it could not be written: {1}",
            file,
            failure);
        return packed;
      } catch (IOException | RuntimeException | Error e) {
        e.addSuppressed(failure);
        throw e;
      }
    }
  }

  /// Writes the pages that no linked pack holds to one of their own, which is added to the others.
  private Packed pack(
      BranchPages pages,
      Map<PageCatalog.Pack, Integer> packs,
      Path file,
      List<Path> made,
      PackWriter.Way way)
      throws IOException {
    long number = nextPack++;
    Path path = packOf(file, number);
    made.add(path);
    var own = new PageCatalog.Pack(number, path);
    packs.put(own, packs.size());
    try (var out = new PackWriter(own, path, way, pieceBytes, settled(pages))) {
      List<Manifest.Entry> entries = writePages(pages, packs, out);
      return new Packed(own, entries, out.finish());
    } catch (IOException | RuntimeException | Error e) {
      catalog.forget(own);
      packs.remove(own);
      throw e;
    }
  }

  /// What a device may move about while it is written.
  private SettledPages settled(BranchPages pages) {
    List<Page> moving = new ArrayList<>();
    for (int table = 0; table < shape.tables().size(); table++) {
      PageTable pageTable = pages.table(table);
      for (int index = 0; index < pageTable.layout().pageCount(); index++) {
        if (!pageTable.page(index).isOnHost()) {
          moving.add(pageTable.page(index));
        }
      }
    }
    return new SettledPages(moving);
  }

  /// Appends the pages that no linked pack holds.
  private List<Manifest.Entry> writePages(
      BranchPages pages, Map<PageCatalog.Pack, Integer> packs, PackWriter out) throws IOException {
    List<Manifest.Entry> entries = new ArrayList<>(shape.pageCount());
    for (int table = 0; table < shape.tables().size(); table++) {
      PageTable pageTable = pages.table(table);
      long bytes = shape.tables().get(table).pageBytes();
      for (int index = 0; index < pageTable.layout().pageCount(); index++) {
        Page page = pageTable.page(index);
        PageCatalog.Place place = placeIn(packs, table, page).orElse(null);
        if (place == null) {
          place = out.append(page, bytes);
          catalog.put(table, page.stamp(), place);
        }
        entries.add(
            new Manifest.Entry(
                numberOf(place.pack(), packs), place.offset(), place.bytes(), place.crc()));
      }
    }
    return entries;
  }

  private Optional<PageCatalog.Place> placeIn(
      Map<PageCatalog.Pack, Integer> packs, int table, Page page) {
    return catalog.find(table, page.stamp()).filter(known -> packs.containsKey(known.pack()));
  }

  private long bytesBeyond(Map<PageCatalog.Pack, Integer> packs, BranchPages pages) {
    long bytes = 0;
    for (int table = 0; table < shape.tables().size(); table++) {
      PageTable pageTable = pages.table(table);
      // Equal ones are written once.
      Set<Long> stamps = new HashSet<>();
      for (int index = 0; index < pageTable.layout().pageCount(); index++) {
        Page page = pageTable.page(index);
        if (placeIn(packs, table, page).isEmpty() && stamps.add(page.stamp())) {
          bytes += shape.tables().get(table).pageBytes();
        }
      }
    }
    return bytes;
  }

  private static int numberOf(PageCatalog.Pack pack, Map<PageCatalog.Pack, Integer> packs) {
    return requireNonNull(packs.get(pack), "a page lies in a pack that the manifest names");
  }

  private long[] steps(BranchPages pages) {
    long[] steps = new long[shape.tables().size()];
    for (int table = 0; table < steps.length; table++) {
      steps[table] = pages.steps(table);
    }
    return steps;
  }

  /// The packs of which at least half is still of use; of many, those with most that is.
  private List<PageCatalog.Pack> usefulPacks(BranchPages pages) {
    Map<PageCatalog.Pack, Long> used = new LinkedHashMap<>();
    for (int table = 0; table < shape.tables().size(); table++) {
      PageTable pageTable = pages.table(table);
      for (int index = 0; index < pageTable.layout().pageCount(); index++) {
        catalog
            .find(table, pageTable.page(index).stamp())
            .ifPresent(place -> used.merge(place.pack(), place.bytes(), Long::sum));
      }
    }
    return used.entrySet().stream()
        .filter(entry -> entry.getValue() >= LEAST_USE * sizeOf(entry.getKey()))
        .sorted(Map.Entry.<PageCatalog.Pack, Long>comparingByValue().reversed())
        .limit(maxLinkedPacks)
        .map(Map.Entry::getKey)
        .toList();
  }

  private static long sizeOf(PageCatalog.Pack pack) {
    for (Path place : pack.places()) {
      try {
        return Files.size(place);
      } catch (IOException e) {
        pack.forget(place);
      }
    }
    return Long.MAX_VALUE;
  }

  /// Links packs beside a manifest; forgets those that are gone or cannot be linked.
  ///
  /// @return the linked ones, with their number in the manifest
  private Map<PageCatalog.Pack, Integer> link(
      List<PageCatalog.Pack> packs, Path file, List<Path> made) {
    Map<PageCatalog.Pack, Integer> linked = new LinkedHashMap<>();
    for (PageCatalog.Pack pack : packs) {
      Path target = packOf(file, pack.number());
      if (isLinked(pack, target, made)) {
        linked.put(pack, linked.size());
      } else {
        catalog.forget(pack);
      }
    }
    return linked;
  }

  private static boolean isLinked(PageCatalog.Pack pack, Path target, List<Path> made) {
    for (Path place : pack.places()) {
      if (place.equals(target) && Files.exists(target)) {
        return true;
      }
      try {
        Files.createLink(target, place);
        made.add(target);
        pack.add(target);
        return true;
      } catch (NoSuchFileException e) {
        pack.forget(place);
      } catch (IOException | UnsupportedOperationException e) {
        return false;
      }
    }
    return false;
  }

  /// {@return where a pack lies that belongs to a manifest}
  private static Path packOf(Path file, long number) {
    return file.resolveSibling(file.getFileName() + "." + number + PACK_SUFFIX);
  }

  /// {@return where a manifest is written before it takes its name}
  private static Path aside(Path file) {
    return file.resolveSibling(file.getFileName() + ".tmp");
  }

  private static void writeManifest(Manifest manifest, Path file, List<Path> made)
      throws IOException {
    Path temporary = aside(file);
    made.add(temporary);
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = manifest.encode();
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    // Another process may have dropped what was begun: a manifest would name what is not there.
    for (String pack : manifest.packs()) {
      if (Files.notExists(file.resolveSibling(pack))) {
        throw new NoSuchFileException(pack, null, "deleted while the checkpoint was written");
      }
    }
    // A manifest may replace another one: not before all that it names survives a crash.
    forceFolderOf(file);
    Files.move(
        temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    // From here on they are no leftovers but the checkpoint.
    made.clear();
    forceFolderOf(file);
  }

  /// Makes the name of a file or folder survive a crash of the machine, as all names in its folder.
  public static void forceFolderOf(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  // ---- reading

  /// Reads a checkpoint into pages that belong to no branch yet.
  ///
  /// @throws PsException `CHECKPOINT_CORRUPT` when a part of it is missing, damaged, or of a shard
  ///   of another shape; `INTERNAL` when this process cannot open what is there
  public synchronized void read(Path file, BranchPages pages) {
    Manifest manifest = Manifest.read(file, shape);
    List<PageCatalog.Pack> packs = new ArrayList<>();
    try {
      for (Map.Entry<Integer, List<Stored>> pack : byPack(manifest).entrySet()) {
        String name = manifest.packName(pack.getKey(), file);
        Path path = file.resolveSibling(name);
        packs.add(new PageCatalog.Pack(numberIn(name, file), path));
        read(file, path, packs.getLast(), pack.getValue(), pages);
      }
      for (int table = 0; table < shape.tables().size(); table++) {
        pages.setSteps(table, manifest.steps()[table]);
      }
      // What is written from now on is no longer what the checkpoint holds.
      pages.sealStamps();
    } catch (IOException e) {
      packs.forEach(catalog::forget);
      throw Manifest.unreadable(file, e);
    } catch (RuntimeException | Error e) {
      packs.forEach(catalog::forget);
      throw e;
    }
  }

  /// The number in a pack's name, which from now on no other pack gets.
  private long numberIn(String name, Path file) {
    Matcher matcher = NUMBER.matcher(name);
    Manifest.expect(matcher.find(), file, "a pack with a number", name, "");
    long number = Long.parseLong(matcher.group(1));
    nextPack = Math.max(nextPack, number + 1);
    return number;
  }

  /// A page, and where it lies in its pack.
  private record Stored(int table, int index, Manifest.Entry where) {}

  /// The pages by pack, so that one is open at a time.
  private Map<Integer, List<Stored>> byPack(Manifest manifest) {
    Map<Integer, List<Stored>> byPack = new LinkedHashMap<>();
    Iterator<Manifest.Entry> entries = manifest.entries().iterator();
    for (int table = 0; table < shape.tables().size(); table++) {
      int count = shape.tables().get(table).layout().pageCount();
      for (int index = 0; index < count; index++) {
        Manifest.Entry where = entries.next();
        byPack
            .computeIfAbsent(where.pack(), _ -> new ArrayList<>())
            .add(new Stored(table, index, where));
      }
    }
    return byPack;
  }

  private void read(
      Path file, Path path, PageCatalog.Pack pack, List<Stored> stored, BranchPages pages)
      throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      for (Stored page : stored) {
        PageTable pageTable = pages.table(page.table());
        Page target = pageTable.target(page.index());
        pageTable.install(page.index(), target);
        Manifest.Entry where = page.where();
        read(file, channel, where, page.table(), page.index(), target);
        catalog.put(
            page.table(),
            target.stamp(),
            new PageCatalog.Place(pack, where.offset(), where.bytes(), where.crc()));
      }
    }
  }

  private void read(
      Path file, FileChannel channel, Manifest.Entry where, int table, int index, Page target)
      throws IOException {
    CheckpointShape.Table of = shape.tables().get(table);
    String what = "page %d of table '%s'".formatted(index, of.name());
    Manifest.expect(
        where.bytes() == of.pageBytes(),
        file,
        what + " with %d bytes".formatted(of.pageBytes()),
        where.bytes(),
        "");
    CRC32C crc = new CRC32C();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment staging =
          target.isOnHost()
              ? MemorySegment.NULL
              : arena.allocate(Math.min(pieceBytes, where.bytes()));
      for (long done = 0; done < where.bytes(); ) {
        int step = (int) Math.min(pieceBytes, where.bytes() - done);
        MemorySegment piece =
            target.isOnHost() ? target.segment().asSlice(done, step) : staging.asSlice(0, step);
        ByteBuffer buffer = piece.asByteBuffer();
        while (buffer.hasRemaining()) {
          int read = channel.read(buffer, where.offset() + done + buffer.position());
          Manifest.expect(read >= 0, file, what, "the end of the file", "");
        }
        crc.update(buffer.flip());
        if (!target.isOnHost()) {
          target.upload(piece, done);
        }
        done += step;
      }
    }
    int found = (int) crc.getValue();
    Manifest.expect(
        found == where.crc(),
        file,
        what + " with CRC32C " + Manifest.hex(where.crc()),
        Manifest.hex(found),
        "");
  }

  // ---- deleting

  /// Deletes a checkpoint, and one that whoever wrote it did not end: the manifest first, then its
  /// packs; others are not touched. Does nothing when there is none.
  ///
  /// @param file the manifest
  public static void delete(Path file) throws IOException {
    Files.deleteIfExists(file);
    Files.deleteIfExists(aside(file));
    for (Path pack : packsBeside(file)) {
      Files.deleteIfExists(pack);
    }
  }

  /// {@return bytes of a checkpoint's files; those that several checkpoints share count in each}
  public static long sizeBytes(Path file) throws IOException {
    long bytes = Files.size(file);
    for (Path pack : packsBeside(file)) {
      bytes += Files.size(pack);
    }
    return bytes;
  }

  private static List<Path> packsBeside(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    List<Path> packs = new ArrayList<>();
    if (folder != null && Files.isDirectory(folder)) {
      String start = file.getFileName() + ".";
      try (DirectoryStream<Path> beside = Files.newDirectoryStream(folder)) {
        for (Path path : beside) {
          String name = path.getFileName().toString();
          if (name.startsWith(start)
              && NUMBER.matcher(name.substring(start.length() - 1)).matches()) {
            packs.add(path);
          }
        }
      }
    }
    return packs;
  }

  /// Deletes the packs of a checkpoint that the one of the same name replaced; what cannot be
  /// deleted now is when the name is used again.
  private void deleteStalePacks(Path file) {
    try {
      List<String> named = Manifest.read(file, shape).packs();
      for (Path pack : packsBeside(file)) {
        if (!named.contains(pack.getFileName().toString())) {
          Files.deleteIfExists(pack);
        }
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "old pages beside " + file + " could not be deleted", e);
    }
  }
}
