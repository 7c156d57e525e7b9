#!/usr/bin/env python3
"""Writes the small PyTorch checkpoints under tests/data/checkpoints and, beside them, the values a reader must find (expected.safetensors).

Needs PyTorch (Debian: python3-torch). Run from the repository root: python3 tools/make_checkpoint_fixtures.py
"""
import json
import struct
from collections import OrderedDict
from pathlib import Path
from typing import List

import torch

OUT = Path("tests/data/checkpoints")


def write_expected(path, tensors):
    """Every tensor as float32, in the order given."""
    header, blobs, offset = {}, [], 0
    for name, tensor in tensors.items():
        data = tensor.detach().to(torch.float32).contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        blobs.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def tensors():
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(6, 8, generator=generator)
    tied = torch.nn.Parameter(torch.randn(5, 3, generator=generator))
    return OrderedDict([
        ("plain.weight", base),
        ("plain.transposed", base.t()),
        ("plain.slice", base[1:5:2, 3:7]),
        ("plain.permuted", torch.randn(2, 3, 4, generator=generator).permute(2, 0, 1)),
        ("tied.a", tied),
        ("tied.b", tied),
        ("scalar", torch.tensor(2.6592)),
        ("empty", torch.zeros(0, 4)),
        ("half", torch.randn(3, 3, generator=generator).half()),
        ("brain", torch.randn(7, generator=generator).to(torch.bfloat16)),
        ("double", torch.randn(4, generator=generator, dtype=torch.float64)),
        ("long", torch.arange(-3, 4)),
        ("int", torch.arange(4, dtype=torch.int32)),
        ("short", torch.tensor([-300, 300], dtype=torch.int16)),
        ("char", torch.tensor([-128, 127], dtype=torch.int8)),
        ("byte", torch.tensor([0, 255], dtype=torch.uint8)),
        ("bool", torch.tensor([True, False, True])),
    ])


class Block(torch.nn.Module):
    sizes: List[int]

    def __init__(self, width):
        super().__init__()
        self.sizes = [width, 2 * width]
        self.attn = torch.nn.MultiheadAttention(width, 2)
        self.mlp = torch.nn.Sequential(OrderedDict([("c_fc", torch.nn.Linear(width, 2 * width)), ("c_proj", torch.nn.Linear(2 * width, width))]))

    def forward(self, x):
        return self.mlp(x) + self.sizes[0]


class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.positional_embedding = torch.nn.Parameter(torch.randn(5, 8).half())
        self.register_buffer("input_resolution", torch.tensor(96))
        self.resblocks = torch.nn.Sequential(Block(8), Block(8))

    def forward(self, x):
        return self.resblocks(x)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    state = tensors()
    state._metadata = OrderedDict([("", {"version": 1})])
    write_expected(OUT / "expected.safetensors", state)
    torch.save(state, OUT / "zip.pt")
    torch.save(dict(state), OUT / "zip-protocol4.pt", pickle_protocol=4)
    torch.save({"epoch": 3, "lr": 1e-4, "note": "ü", "state_dict": OrderedDict(("module." + k, v) for k, v in state.items())}, OUT / "zip-wrapped.pt")
    torch.save({"model": {"plain": {"weight": state["plain.weight"]}, "scalar": state["scalar"]}, "size": torch.Size([1, 2])}, OUT / "zip-nested.pt")
    torch.save(state, OUT / "legacy.pt", _use_new_zipfile_serialization=False)

    torch.manual_seed(2)
    module = torch.jit.script(Tiny().eval())
    module.save(str(OUT / "script.pt"))
    write_expected(OUT / "script-expected.safetensors", module.state_dict())


if __name__ == "__main__":
    main()
