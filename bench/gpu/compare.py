"""Fused optimizers of PyTorch on the device and sizes that GpuBenchmark has just measured.

compare.py FIGURES.json MEBIBYTES OUT.json
Prints seconds a step and what ours took; the ratio is theirs over ours, so more than 1 is faster.
"""

import json
import statistics
import sys
import time

import torch

REPEATS, STEPS = 7, 8
PEERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=1e-3, fused=True),
    "momentum": lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9, fused=True),
    "nesterov": lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9, nesterov=True, fused=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=1e-3, foreach=True),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-3, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=0.01, fused=True),
}


def seconds(make, floats, tensors):
    parameters = [
        torch.nn.Parameter(torch.randn(floats // tensors, device="cuda")) for _ in range(tensors)
    ]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    optimizer = make(parameters)
    times = []
    # The clocks of an idle device are low and rise with its load.
    start = time.monotonic()
    while time.monotonic() - start < 0.1:
        optimizer.step()
        torch.cuda.synchronize()
    for repeat in range(-1, REPEATS):
        begin = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        begin.record()
        for _ in range(STEPS):
            optimizer.step()
        end.record()
        torch.cuda.synchronize()
        if repeat >= 0:
            times.append(begin.elapsed_time(end) / 1e3 / STEPS)
    del optimizer, parameters
    torch.cuda.empty_cache()
    return statistics.median(times)


def scattered(rows, bits):
    """The rows of GpuBenchmark: without a pattern, each at most once."""
    for _ in range(3):
        rows = rows ^ (rows >> (bits + 1) // 2)
        rows = (rows * 0x2C1B3C6D) & ((1 << bits) - 1)
    return rows


def row_seconds(columns, floats, adds):
    """Rows of a contiguous table by index, as many and as wide as GpuBenchmark takes from pages."""
    count, table_rows = 2 * floats // columns, 4 * floats // columns
    table = torch.randn(table_rows, columns, device="cuda")
    rows = scattered(torch.arange(count, device="cuda"), table_rows.bit_length() - 1)
    values = torch.randn(count, columns, device="cuda")
    out = torch.empty(count, columns, device="cuda")
    times = []
    for repeat in range(-3, REPEATS):
        begin = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        begin.record()
        for _ in range(STEPS):
            if adds:
                table.index_add_(0, rows, values, alpha=0.5)
            else:
                torch.index_select(table, 0, rows, out=out)
        end.record()
        torch.cuda.synchronize()
        if repeat >= 0:
            times.append(begin.elapsed_time(end) / 1e3 / STEPS)
    del table, rows, values, out
    torch.cuda.empty_cache()
    return statistics.median(times), count


def compare_rows(ours, floats, results):
    for columns in (16, 64, 1024):
        for adds, name in ((False, "gather %d random rows of %d"),
                           (True, "scatter-add %d rows of %d that may repeat")):
            theirs, count = row_seconds(columns, floats, adds)
            rate = ours.get(name % (count, columns))
            if rate is None:
                continue
            moved = (3 if adds else 2) * 4.0 * columns * count + 8.0 * count
            mine = moved / rate / 1e9
            results.append(
                {"rows": name % (count, columns), "torch": theirs, "espalier": mine,
                 "ratio": theirs / mine}
            )
            print(
                f"{name % (count, columns):48}  torch {theirs * 1e6:9.1f} us"
                f"  espalier {mine * 1e6:9.1f} us  ratio {theirs / mine:6.3f}"
            )


def main():
    source, mebibytes, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with open(source) as file:
        ours = {figure["name"]: figure["value"] for figure in json.load(file)["figures"]}
    rows = []
    print("PyTorch", torch.__version__, "on", torch.cuda.get_device_name(0))
    for rule, make in PEERS.items():
        for tensors in (1, 64):
            theirs = seconds(make, mebibytes << 18, tensors)
            mine = ours.get(f"seconds of {rule}, 1024 KiB pages")
            if mine is None:
                continue
            ratio = theirs / mine
            rows.append(
                {"rule": rule, "tensors": tensors, "torch": theirs, "espalier": mine, "ratio": ratio}
            )
            verdict = "met" if ratio >= 1 else "MISSED"
            print(
                f"{rule:10} {tensors:3} tensors  torch {theirs * 1e6:9.1f} us"
                f"  espalier {mine * 1e6:9.1f} us  ratio {ratio:6.3f}  {verdict}"
            )
    compare_rows(ours, mebibytes << 18, rows)
    with open(target, "w") as file:
        json.dump({"torch": torch.__version__, "rows": rows}, file, indent=1)


main()
