package dev.espalier.ps.gpu;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagePool;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/// The pages that are on the device, of a state that may be larger than its budget.
///
/// A plan says what may be visited, and in which order, round after round; once two rounds were the
/// same, they say it. While one visit is worked on, the pages of the next arrive and those of the
/// last leave, each on a stream of its own, so that both hide behind the work ([Placement] says
/// what need not move at all). A page that branches share moves once for all of them, so going on
/// with another branch moves only the pages in which it differs. Visits may be made in any order:
/// the plan only says what to fetch ahead.
///
/// Source: GeePS (Cui et al. 2016) §4; its memory is that of one model, ours is that of all
/// branches.
///
/// Not thread-safe; other threads may download pages, and drop references to them.
public final class WorkingSet implements AutoCloseable, PagePool.Keeper {
  /*
   * A page keeps its identity and trades its place: with a frame of the device's pool when it
   * arrives, with a page of the pinned pool when it leaves, its home. The home is kept while the page
   * is on the device; as long as the page is not written it is a copy, and leaving costs nothing.
   * Where other pages find no home, it is given up. No page leaves before all that leave with it have
   * a home, so that none is lost when pinned memory ends.
   *
   * Streams: work (kernels), inbound, outbound. Moves are queued in batches, with an event each.
   * - Work waits for the inbound batch of the pages it visits.
   * - An outbound batch waits for all work queued before it, and for its pages' inbound batches, as
   *   far as that work has not waited for them; and for those that read the homes that were given up
   *   for it.
   * - An inbound batch waits for all work queued before it (frames of freed pages may still be in
   *   use), for the outbound batches of the frames it fills, and for those of the pages it brings.
   * A frame that leaves as a copy, whose arrival work has waited for, is free at once. Others come
   * back to the pool when somebody needs them, who waits for their departure:
   * work for fresh pages, the inbound stream for a batch, which takes all that it waited for, or else
   * has work wait for it. Work that has fresh pages written so does not wait for the next visit.
   */
  private static final int EVENTS = 64;

  /// What is known of a page that has been on the device.
  private static final class Seat {
    final int life;
    @Nullable Page twin;
    boolean twinIsCopy;
    long arrival;
    long departure;
    long round;
    boolean isVisited;

    Seat(int life) {
      this.life = life;
    }

    /// Gives back the pinned place of a page that is on the device.
    void giveUpTwin() {
      if (twin != null) {
        twin.release();
        twin = null;
      }
    }
  }

  private record Leaving(Page frame, long departure) {}

  /// A page that has traded its frame for its pinned place.
  private record Departure(Page page, Page frame, Seat seat, boolean isCopy) {}

  /// Batches of a stream, numbered from 1; their events are used again after `EVENTS` batches.
  private final class Batches {
    private final CudaDriver.Stream stream;
    private final List<CudaDriver.Event> events;
    private long count;

    Batches(CudaDriver.Stream stream, List<CudaDriver.Event> events) {
      this.stream = stream;
      this.events = events;
    }

    /// Marks the end of a batch.
    ///
    /// @return its number
    long end() {
      driver.record(events.get((int) (++count % EVENTS)), stream);
      return count;
    }

    /// Makes another stream wait for a batch, or for a later one.
    void letWait(CudaDriver.Stream other, long batch) {
      if (batch > 0) {
        driver.await(other, events.get((int) (batch % EVENTS)));
      }
    }
  }

  private final CudaDriver driver;
  private final CudaDriver.Stream work;
  private final Lock departing;
  private final PagePool device;
  private final PagePool pinned;
  private List<PageVisit> plan;
  private VisitOrder order;
  private long devicePages;
  private int largestVisit;
  private Placement placement;
  private final List<CudaDriver.Event> events;
  private final Batches worked;
  private final Batches arrived;
  private final Batches left;
  private final SequencedMap<Page, Seat> seats = new LinkedHashMap<>();
  private final List<Seat> visited = new ArrayList<>();
  private List<Page> present = List.of();
  private final Deque<Leaving> leaving = new ArrayDeque<>();
  private @Nullable BranchPages current;
  private long round;
  private long arrivalWaitedFor;
  private boolean isFetching;
  private long bytesIn;
  private long bytesOut;

  /// Starts with nothing on the device.
  ///
  /// @param gpu the device
  /// @param device where pages are born and worked on; its budget bounds what is on the device
  /// @param pinned where they are otherwise, of the same page size; nobody else takes of it
  /// @param plan the visits of one round, in order, not empty
  public WorkingSet(Gpu gpu, PagePool device, PagePool pinned, List<PageVisit> plan) {
    if (device.pageBytes() != pinned.pageBytes()) {
      throw new IllegalArgumentException(
          "pageBytes of both pools must be equal but are %d and %d"
              .formatted(device.pageBytes(), pinned.pageBytes()));
    }
    driver = gpu.driver();
    work = gpu.stream();
    departing = gpu.departing();
    this.device = device;
    this.pinned = pinned;
    follow(plan);
    events = driver.openEvents(3 * EVENTS);
    worked = new Batches(work, events.subList(0, EVENTS));
    arrived = new Batches(gpu.inbound(), events.subList(EVENTS, 2 * EVENTS));
    left = new Batches(gpu.outbound(), events.subList(2 * EVENTS, 3 * EVENTS));
    device.keptBy(this);
  }

  /// Follows a plan from now on, as far as is known how much the device has; to be called between
  /// visits.
  ///
  /// @param newPlan the visits of one round, in order, not empty
  public void follow(List<PageVisit> newPlan) {
    plan = List.copyOf(newPlan);
    order = new VisitOrder(plan.size());
    devicePages = device.allPages();
    largestVisit = plan.stream().mapToInt(PageVisit::pages).max().orElse(0);
    placement = new Placement(plan, devicePages);
    round++;
  }

  /// Brings the pages of a visit to the device, for work that is queued next, and sends for those
  /// of the visits after it.
  ///
  /// @param branch the branch whose pages are visited
  /// @param index of the visit in the plan
  /// @throws dev.espalier.ps.fault.PsException `OUT_OF_MEMORY_BUDGET` when pages that must leave do
  ///   not fit into pinned memory
  public void begin(BranchPages branch, int index) {
    order.visit(index);
    if (branch != current) {
      current = branch;
      round++;
    }
    endVisits();
    List<Page> pages = pagesOf(branch, index);
    pages.forEach(page -> seat(page, true));
    fetch(pages, true);
    waitForArrival(pages);
    present = pages;
    fetchAhead(branch, order.after(index), freshPages(branch, plan.get(index)));
  }

  private List<Page> pagesOf(BranchPages branch, int index) {
    PageVisit visit = plan.get(index);
    PageTable table = branch.table(visit.table());
    List<Page> pages = new ArrayList<>();
    for (int page = visit.firstPage(); page < visit.endPage(); page++) {
      pages.add(table.page(page));
      if (placement.staysOnDevice(visit.table(), page)) {
        seat(table.page(page), false).round = round;
      }
    }
    return pages;
  }

  /// The seat of a page; visited seats go to the end, so that the first ones are the oldest.
  private Seat seat(Page page, boolean isVisited) {
    Seat seat = isVisited ? seats.remove(page) : seats.get(page);
    if (seat != null && seat.life != page.life()) {
      seat.giveUpTwin();
      seat = null;
    }
    if (seat == null) {
      seat = new Seat(page.life());
    }
    if (isVisited && !seat.isVisited) {
      seat.isVisited = true;
      visited.add(seat);
    }
    seats.put(page, seat);
    return seat;
  }

  private void endVisits() {
    visited.forEach(seat -> seat.isVisited = false);
    visited.clear();
  }

  private void waitForArrival(List<Page> pages) {
    long last = 0;
    for (Page page : pages) {
      last = Math.max(last, seat(page, false).arrival);
    }
    if (last > arrivalWaitedFor) {
      arrived.letWait(work, last);
      arrivalWaitedFor = last;
    }
  }

  /// How many shared pages a visit writes, each into a fresh page.
  private static int freshPages(BranchPages branch, PageVisit visit) {
    int fresh = 0;
    for (int page = visit.firstPage(); page < visit.endPage(); page++) {
      if (visit.writes() && branch.table(visit.table()).isShared(page)) {
        fresh++;
      }
    }
    return fresh;
  }

  /// Makes room for fresh pages of the present visit, and sends for the pages of another one, if
  /// they fit beside it.
  private void fetchAhead(BranchPages branch, int index, int fresh) {
    List<Page> next = pagesOf(branch, index);
    next.forEach(page -> seat(page, true));
    boolean fits = fits(next, fresh);
    if (!fits) {
      endVisits();
      present.forEach(page -> seat(page, true));
    }
    // First, so that work gets the frames that nobody waits for: what arrives can wait for others.
    List<Page> kept = device.acquire(fresh);
    try {
      if (fits) {
        fetch(next, false);
      }
    } finally {
      kept.forEach(Page::release);
    }
  }

  private boolean fits(List<Page> pages, int fresh) {
    long missing = pages.stream().filter(page -> !page.isOnDevice()).distinct().count();
    long leaving = missing + fresh - roomOnDevice();
    return leaving <= 0 || leaving <= Math.min(evictable(), homes());
  }

  private long evictable() {
    return seats.entrySet().stream()
        .filter(entry -> mayLeave(entry.getKey(), entry.getValue(), false))
        .count();
  }

  private boolean mayLeave(Page page, Seat seat, boolean residentsToo) {
    return !seat.isVisited
        && !page.isPinned()
        && (residentsToo || seat.round != round)
        && page.isOnDevice()
        && !page.isFree()
        && page.life() == seat.life;
  }

  /// Brings pages that are not on the device.
  private void fetch(List<Page> pages, boolean isNeeded) {
    List<Page> missing = pages.stream().filter(page -> !page.isOnDevice()).distinct().toList();
    if (missing.isEmpty()) {
      return;
    }
    isFetching = true;
    boolean isSentFor = false;
    try {
      // Frames that have left are taken back after what is fetched waited for their departure, so
      // no other may stay behind in their place, for work to find.
      bring(missing, device.acquire(missing.size()));
      isSentFor = true;
    } finally {
      isFetching = false;
      if (!isSentFor) {
        letWorkFollowInbound();
      }
    }
    if (isNeeded) {
      arrived.letWait(work, arrived.count);
      arrivalWaitedFor = arrived.count;
    }
  }

  private void bring(List<Page> missing, List<Page> frames) {
    int filled = 0;
    try {
      worked.letWait(arrived.stream, worked.end());
      long departure = 0;
      for (Page page : missing) {
        departure = Math.max(departure, seat(page, false).departure);
      }
      left.letWait(arrived.stream, departure);
      for (; filled < frames.size(); filled++) {
        bring(missing.get(filled), frames.get(filled));
      }
    } finally {
      frames.subList(filled, frames.size()).forEach(Page::release);
      arrived.end();
    }
  }

  private void bring(Page page, Page frame) {
    driver.copyIn(page.segment(), frame.address(), arrived.stream);
    page.trade(frame);
    Seat seat = seat(page, false);
    seat.twin = frame;
    seat.twinIsCopy = true;
    seat.arrival = arrived.count + 1;
    bytesIn += device.pageBytes();
  }

  /// Knows pages from their birth, so that they can leave before they are visited.
  @Override
  public void born(Page page) {
    if (!isFetching) {
      seat(page, false);
    }
  }

  /// Takes back frames that have left, and lets the oldest pages leave when there are too few.
  @Override
  public void makeRoom(int count) {
    takeBackFrames(count);
    long missing = count - roomOnDevice();
    if (missing > 0) {
      List<Page> pages = oldest(missing);
      if (!haveHomes(pages)) {
        pinned.reserve(homeless(pages));
      }
      evict(pages);
      takeBackFrames(count);
    }
  }

  /// Makes work wait for what the inbound stream waits for, whose frames it may get.
  private void letWorkFollowInbound() {
    arrived.letWait(work, arrived.end());
    arrivalWaitedFor = arrived.count;
  }

  private void takeBackFrames(int count) {
    CudaDriver.Stream user = isFetching ? arrived.stream : work;
    while (device.availablePages() < count && !leaving.isEmpty()) {
      Leaving first = leaving.pop();
      left.letWait(user, first.departure());
      first.frame().release();
    }
  }

  /// The pages that were not visited for longest: first those that need not stay.
  private List<Page> oldest(long count) {
    List<Page> chosen = new ArrayList<>();
    for (boolean residentsToo : new boolean[] {false, true}) {
      for (Map.Entry<Page, Seat> entry : seats.entrySet()) {
        if (chosen.size() >= count) {
          return chosen;
        }
        boolean isResident = entry.getValue().round == round;
        if (residentsToo == isResident && mayLeave(entry.getKey(), entry.getValue(), true)) {
          chosen.add(entry.getKey());
        }
      }
    }
    return chosen;
  }

  /// Finds places in pinned memory for pages that are to leave; where they run short, those that
  /// other pages on the device keep are given up, of the last visited first: they leave last.
  ///
  /// @return whether all have one
  private boolean haveHomes(List<Page> pages) {
    return hasHomes(homeless(pages), Set.copyOf(pages));
  }

  private boolean hasHomes(int count, Set<Page> keeping) {
    long arrival = 0;
    for (Map.Entry<Page, Seat> entry : seats.sequencedEntrySet().reversed()) {
      if (pinned.tryReserve(count)) {
        break;
      }
      if (!keeping.contains(entry.getKey())) {
        arrival = Math.max(arrival, entry.getValue().arrival);
        entry.getValue().giveUpTwin();
      }
    }
    // The home may still be read, and will be written.
    arrived.letWait(left.stream, arrival);
    return pinned.tryReserve(count);
  }

  private int homeless(List<Page> pages) {
    return (int) pages.stream().filter(page -> seat(page, false).twin == null).count();
  }

  /// Places in pinned memory that pages which leave can have.
  private long homes() {
    return pinned.availablePages() + pinnedCopies();
  }

  /// Makes sure that so many fresh pages can be had, and any visit be made, by letting others
  /// leave.
  ///
  /// @param fresh how many
  /// @throws dev.espalier.ps.fault.PsException `OUT_OF_MEMORY_BUDGET` when pinned memory has no
  ///   room for those
  public void reserve(int fresh) {
    long leaving = fresh - roomOnDevice();
    if (leaving > 0) {
      long elsewhere = pinned.pagesInUse() - pinnedCopies() + leaving;
      int homes = Math.toIntExact(leaving + Math.min(largestVisit, elsewhere));
      if (!hasHomes(homes, Set.of())) {
        pinned.reserve(homes);
      }
    }
  }

  /// Sends pages to pinned memory, where they have homes.
  private void evict(List<Page> pages) {
    departing.lock();
    try {
      depart(pages);
    } finally {
      departing.unlock();
    }
  }

  private void depart(List<Page> pages) {
    List<Departure> departures = new ArrayList<>();
    try {
      for (Page page : pages) {
        trade(page, seat(page, false)).ifPresent(departures::add);
      }
    } finally {
      send(departures);
    }
  }

  private void send(List<Departure> departures) {
    List<Departure> sent = new ArrayList<>();
    for (Departure departure : departures) {
      if (isFreeAtOnce(departure)) {
        departure.frame().release();
      } else {
        sent.add(departure);
      }
    }
    if (!sent.isEmpty()) {
      sendOut(sent);
    }
  }

  /// Whether nothing is to be waited for before the frame is used again, by work or by what arrives
  /// behind it: nothing is copied out of it, and what was copied into it has arrived before work.
  private boolean isFreeAtOnce(Departure departure) {
    return departure.isCopy() && departure.seat().arrival <= arrivalWaitedFor;
  }

  private void sendOut(List<Departure> departures) {
    int gone = 0;
    try {
      worked.letWait(left.stream, worked.end());
      long arrival =
          departures.stream().mapToLong(departure -> departure.seat().arrival).max().orElse(0);
      if (arrival > arrivalWaitedFor) {
        arrived.letWait(left.stream, arrival);
      }
      for (; gone < departures.size(); gone++) {
        copyOut(departures.get(gone));
      }
    } finally {
      departures.subList(gone, departures.size()).forEach(this::stay);
      long batch = left.end();
      for (Departure departure : departures.subList(0, gone)) {
        departure.seat().departure = batch;
        leaving.add(new Leaving(departure.frame(), batch));
      }
    }
  }

  private void copyOut(Departure departure) {
    if (!departure.isCopy()) {
      driver.copyOut(departure.frame().address(), departure.page().segment(), left.stream);
      bytesOut += device.pageBytes();
    }
  }

  /// Undoes the trade of a page that could not be sent.
  private void stay(Departure departure) {
    if (departure.page().trade(departure.frame())) {
      departure.seat().twin = departure.frame();
      departure.seat().twinIsCopy = departure.isCopy();
    } else {
      leaving.add(new Leaving(departure.frame(), left.count + 1));
    }
  }

  /// Puts a page into its pinned place; empty when nobody holds it any more.
  private Optional<Departure> trade(Page page, Seat seat) {
    boolean isCopy = seat.twin != null && seat.twinIsCopy;
    Page home = seat.twin == null ? pinned.acquire() : seat.twin;
    seat.twin = null;
    if (!page.trade(home)) {
      home.release();
      seats.remove(page);
      return Optional.empty();
    }
    return Optional.of(new Departure(page, home, seat, isCopy));
  }

  /// Ends a visit: what passes through the device begins to leave when the queued work is done.
  ///
  /// @param branch the branch that was visited
  /// @param index of the visit in the plan
  public void end(BranchPages branch, int index) {
    PageVisit visit = plan.get(index);
    endVisits();
    List<Page> next = pagesOf(branch, order.after(index));
    next.forEach(page -> seat(page, true));
    List<Page> pages = pagesOf(branch, index);
    List<Page> passing = new ArrayList<>();
    for (Page page : pages) {
      Seat seat = seat(page, false);
      if (visit.writes()) {
        seat.twinIsCopy = false;
      }
      if (mayLeave(page, seat, false)) {
        passing.add(page);
      }
    }
    // What fresh pages have taken the places of is of use to other branches only.
    Set<Page> stillThere = Set.copyOf(pages);
    for (Page page : present) {
      if (!stillThere.contains(page) && mayLeave(page, seat(page, false), true)) {
        passing.add(page);
      }
    }
    present = List.of();
    if (!passing.isEmpty() && isCrowded()) {
      List<Page> leaving = passing.stream().distinct().toList();
      if (haveHomes(leaving)) {
        evict(leaving);
      }
    }
  }

  /// Ends a round: the visits of a clock have been made, and those of the next begin.
  ///
  /// When they were those of the round before, in the same order, what stays on the device and what
  /// is fetched ahead follows them from now on.
  public void endRound() {
    if (order.endRound()) {
      placement =
          new Placement(Arrays.stream(order.round()).mapToObj(plan::get).toList(), devicePages);
      round++;
    }
  }

  /// Whether pages must leave at all.
  private boolean isCrowded() {
    return placement.residentPages() < placement.pages();
  }

  /// Forgets pages that nobody holds any more; to be called after branches are freed.
  public void sweep() {
    takeBackFrames(Integer.MAX_VALUE);
    // A page that was sent for and then freed may still be arriving.
    letWorkFollowInbound();
    seats
        .entrySet()
        .removeIf(entry -> {
          Page page = entry.getKey();
          Seat seat = entry.getValue();
          boolean isGone = page.isFree() || page.life() != seat.life;
          if (isGone) {
            seat.giveUpTwin();
          }
          return isGone;
        });
  }

  /// Makes work that is queued next wait for all pages that are on their way, to read them wherever
  /// they are.
  public void awaitMoves() {
    left.letWait(work, left.count);
    arrived.letWait(work, arrived.count);
    arrivalWaitedFor = arrived.count;
  }

  /// Pages that find room on the device without another one leaving it.
  public long roomOnDevice() {
    return device.availablePages() + leaving.size();
  }

  /// Pages on the device that may not leave it, since somebody uses their addresses.
  public long fixedPages() {
    return seats.keySet().stream().filter(Page::isPinned).count();
  }

  /// Pages on the device that keep a place in pinned memory, too.
  public long pinnedCopies() {
    return seats.values().stream().filter(seat -> seat.twin != null).count();
  }

  /// Bytes that were sent for so far.
  public long bytesIn() {
    return bytesIn;
  }

  /// Bytes that were sent away so far.
  public long bytesOut() {
    return bytesOut;
  }

  /// Pages of the plan that stay on the device, as long as one branch is worked on.
  public int residentPages() {
    return placement.residentPages();
  }

  /// Waits for all moves and gives back what is kept for them; no visit may follow.
  @Override
  public void close() {
    device.keptBy(PagePool.nobody());
    Releases all = new Releases();
    all.run(() -> driver.await(arrived.stream));
    all.run(() -> driver.await(left.stream));
    leaving.forEach(moved -> all.run(moved.frame()::release));
    leaving.clear();
    seats.values().forEach(seat -> all.run(seat::giveUpTwin));
    seats.clear();
    events.forEach(event -> all.run(() -> driver.close(event)));
    all.end();
  }
}
