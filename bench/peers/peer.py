#!/usr/bin/env python3
"""PyTorch's side of `bench peers`: peer.py KIND FOLDER THREADS DEVICE PRECISION ENGINE size=value...

Reads the case's files from FOLDER, writes out.ENGINE.safetensors there (ENGINE is pytorch, or pytorch-compile, which passes the work through torch.compile), warms up, then obeys lines on standard input: "run N" runs N times and
answers with the times; anything else ends. Answers are lines of JSON. `peer.py --version` names the PyTorch and the BLAS that it uses.
"""
import contextlib
import ctypes
import gc
import json
import sys
import time
from pathlib import Path

import torch


def blas():
    """The BLAS in this process, with the kernels that OpenBLAS chose."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = line.split()[-1]
        if "openblas" in path:
            library = ctypes.CDLL(path)
            library.openblas_get_config.restype = ctypes.c_char_p
            return library.openblas_get_config().decode()
        if "mkl_core" in path or "libtorch_cpu" in path and "mkl" in torch.__config__.show().lower() and torch.backends.mkl.is_available():
            return "MKL"
    return "the reference BLAS"


def memory(key):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(key)


class Host:
    """The CPU: memory is what the process has resident."""

    scaler = None

    def __init__(self, precision):
        pass

    def scope(self):
        return contextlib.nullcontext()

    def wait(self):
        pass

    def reset(self):
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")

    def resident(self):
        return memory("VmRSS")

    def peak(self):
        return memory("VmHWM")


class Card(Host):
    """A CUDA device: memory is what tensors take there."""

    def __init__(self, precision):
        torch.set_default_device("cuda")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
        self.half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
        if precision == "fp16":
            # Gradients of a mean over all pixels end in fp16: training in it goes with a scaled loss.
            self.scaler = torch.amp.GradScaler("cuda") if hasattr(torch.amp, "GradScaler") else torch.cuda.amp.GradScaler()

    def scope(self):
        """Autocast keeps its 16-bit copies of the weights until it is left, so every run enters it anew: a step must see what the step before has learnt."""
        return torch.autocast("cuda", self.half) if self.half else contextlib.nullcontext()

    def wait(self):
        torch.cuda.synchronize()

    def reset(self):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()

    def resident(self):
        return torch.cuda.memory_allocated() / 2**20

    def peak(self):
        return torch.cuda.max_memory_allocated() / 2**20


def timed(work, device):
    start = time.perf_counter()
    with device.scope():
        work.run()
    device.wait()
    return time.perf_counter() - start


def main():
    if sys.argv[1] == "--version":
        print(f"PyTorch {torch.__version__} with {blas() if sys.argv[2] == 'cpu' else torch.cuda.get_device_name()}")
        return
    kind, folder, threads, name, precision, engine = sys.argv[1:7]
    torch.set_num_threads(int(threads))
    device = (Host if name == "cpu" else Card)(precision)
    import tensors
    import works
    work = works.KINDS[kind](folder, {name: int(value) for name, value in (pair.split("=") for pair in sys.argv[7:])})
    work.scaler = device.scaler
    if engine == "pytorch-compile":
        work.compile()
    with device.scope():
        checked = work.check()
    tensors.write(f"{folder}/out.{engine}.safetensors", checked)
    del checked
    gc.collect()
    device.reset()
    resident = device.resident()

    start, runs = time.perf_counter(), 0
    while runs < 2 or (runs < 50 and time.perf_counter() - start < 1):
        seconds = timed(work, device)
        runs += 1
    print(json.dumps({"ready": True, "seconds": seconds}), flush=True)
    for line in sys.stdin:
        if not line.startswith("run "):
            break
        print(json.dumps({"times": [timed(work, device) for _ in range(int(line.split()[1]))]}), flush=True)
    peak = device.peak()
    print(json.dumps({"peak": peak, "added": peak - resident}), flush=True)


if __name__ == "__main__":
    main()
