"""What both Python sides of the peer benchmark share: arguments, tokenised rows, step clock, the one JSON line at the end."""

import argparse
import json
import math
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, TrainerCallback

PACKAGES = ("torch", "transformers", "trl", "accelerate", "datasets")


def parser(description, default_schedule):
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--model-dir", type=Path, required=True, help="folder with config.json and safetensors weights")
    p.add_argument("--tokens", type=Path, required=True, help='{"rows": [{"ids": [], "trained": []}], "batches": [[]]}')
    p.add_argument("--out", type=Path, required=True, help="where the metrics are written (JSON)")
    p.add_argument("--steps", type=int, default=-1, help="optimizer steps; default: every batch once")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--lr", type=float, default=5e-6)
    p.add_argument("--warmup-steps", type=int, default=50)
    p.add_argument("--schedule", choices=["log", "linear-warmup", "constant"], default=default_schedule)
    return p


def read_rows(path):
    """Rows and the order of the optimizer steps. Only the last step may be shorter than the first."""
    data = json.loads(path.read_text())
    rows, batches = data["rows"], data["batches"]
    size = len(batches[0])
    if any(len(b) != size for b in batches[:-1]) or not 0 < len(batches[-1]) <= size:
        raise SystemExit(f"{path}: every batch but the last must have {size} rows")
    seen = [i for b in batches for i in b]
    if len(set(seen)) != len(seen) or not set(seen) <= set(range(len(rows))):
        raise SystemExit(f"{path}: batches must name existing rows, each at most once")
    for i in seen:
        if len(rows[i]["ids"]) != len(rows[i]["trained"]) or rows[i]["trained"][0]:
            raise SystemExit(f"{path}: row {i}: ids and trained differ in length, or the first id is a target")
    return rows, batches


def labels_of(row):
    return [i if t else -100 for i, t in zip(row["ids"], row["trained"], strict=True)]


def load_model(folder):
    # In fp32, which is also what the loss and the optimizer then use: CPUs without AMX are slower in bf16.
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")


def scheduler(optimizer, args):
    """DeepSpeed's WarmupLR in its "log" form (Dolly's config), or plain linear warm-up; constant afterwards."""
    w = args.warmup_steps

    def factor(s):
        if args.schedule == "constant" or w <= 1 or s >= w:
            return 1.0
        return math.log(s + 1) / math.log(w) if args.schedule == "log" else s / w

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


class Recorder:
    """Mixed into a Trainer: the loss of every optimizer step, summed over its micro-batches, and the schedule above."""

    def training_step(self, *a, **k):
        loss = super().training_step(*a, **k)
        self.clock.losses[-1] += float(loss)
        return loss

    def create_scheduler(self, num_training_steps, optimizer=None):
        self.lr_scheduler = scheduler(optimizer or self.optimizer, self.peer_args)
        self._created_lr_scheduler = True
        return self.lr_scheduler


class Clock(TrainerCallback):
    """Wall time from the end of one optimizer step to the end of the next: data, logging and optimizer are inside."""

    def __init__(self):
        self.losses, self.seconds, self.lrs = [], [], []

    def on_train_begin(self, args, state, control, **kwargs):
        self.last = time.perf_counter()

    def on_step_begin(self, args, state, control, lr_scheduler=None, **kwargs):
        self.losses.append(0.0)
        self.lrs.append(lr_scheduler.get_last_lr()[0])

    def on_step_end(self, args, state, control, **kwargs):
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.last = now


def memory(field):
    """Bytes of a field of /proc/self/status: VmHWM is the peak resident set since the process began."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"/proc/self/status has no {field}")


def product_rate(n=2048, repeats=7):
    """GFLOP/s of an n-cubed fp32 product with the threads of this process: the machine's state at this moment."""
    a, b = torch.rand(n, n), torch.rand(n, n)
    torch.mm(a, b)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - start)
    return 2 * n**3 / statistics.median(times) / 1e9


def versions():
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def report(args, side, clock, imported, loaded, train, rows, batches, extra):
    train_seconds, cpu_seconds = train
    peak = memory("VmHWM")  # before the product below, whose matrices are not the trainer's
    done = [rows[i] for b in batches[: len(clock.seconds)] for i in b]
    metrics = {
        "side": side,
        "steps": len(clock.seconds),
        "rows": len(done),
        "tokens": sum(len(r["ids"]) for r in done),
        "trained_tokens": sum(sum(r["trained"]) for r in done),
        "losses": clock.losses,
        "lrs": clock.lrs,
        "step_seconds": clock.seconds,
        "train_seconds": train_seconds,
        "cpu_seconds": cpu_seconds,
        "import_seconds": imported,
        "load_seconds": loaded,
        "peak_rss_bytes": peak,
        "threads": torch.get_num_threads(),
        "gflops_2048": product_rate(),
        "versions": versions(),
        **extra,
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    partial = args.out.with_name(args.out.name + ".partial")
    partial.write_text(json.dumps(metrics) + "\n")
    partial.replace(args.out)
    print(json.dumps(metrics), flush=True)
