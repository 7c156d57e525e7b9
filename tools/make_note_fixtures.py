#!/usr/bin/env python3
"""Writes tests/data/checkpoints/notes*.pt: the state dict of make_checkpoint_fixtures.py among what training programs save beside it, namely
arguments of the command line, the state of a scheduler, and notes of mmengine, Lightning and yacs; and tests/data/checkpoints/module*.pt, a whole
module as torch.save(model, ...) writes it. Classes of packages that are not here are stand-ins by the same name with the same members.

Needs PyTorch and NumPy (Debian: python3-torch, python3-numpy). Run from the repository root: python3 tools/make_note_fixtures.py
"""
import argparse
import collections
import datetime
import decimal
import pathlib
import sys
import types
import uuid

import numpy
import torch

import make_checkpoint_fixtures as fixtures


def stand_in(module, cls):
    """Makes the class one of the module, which need not be there."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        sys.modules.setdefault(name, types.ModuleType(name))
    cls.__module__ = module
    setattr(sys.modules[module], cls.__name__, cls)
    return cls


class HistoryBuffer:
    def __init__(self):
        self._max_length = 1000000
        self._log_history = numpy.array([0.5, 0.25])
        self._count_history = numpy.array([1, 1])
        self._statistics_methods = collections.OrderedDict(mean=HistoryBuffer.mean)

    def mean(self):
        return self._log_history.mean()


class AttributeDict(dict):
    pass


class CfgNode(dict):
    def __init__(self, pairs):
        super().__init__(pairs)
        self.__dict__["_frozen"] = True


def notes():
    history = stand_in("mmengine.logging.history_buffer", HistoryBuffer)
    history.mean.__module__ = history.__module__
    arguments = argparse.Namespace(
        lr=1e-4, out=pathlib.PurePosixPath("runs/a"), started=datetime.datetime(2024, 2, 29, 12), left=datetime.timedelta(hours=1),
        names={"cat", "dog"}, frozen=frozenset([1, 2]), z=1 + 2j, steps=range(3), part=slice(1, 2), seed=1 << 70, shape=torch.Size([2, 3]),
        dtype=torch.float16, device=torch.device("cpu"), mean=numpy.arange(3.0), scale=numpy.float32(2), last=collections.deque([1, 2], maxlen=4),
        groups=collections.defaultdict(list, {"a": [1]}), raw=b"abc", more=bytearray(b"xy"), price=decimal.Decimal("1.5"), id=uuid.UUID(int=7),
        version=torch.torch_version.TorchVersion("2.0"), inner=types.SimpleNamespace(x=argparse.Namespace()))
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 2])
    return {
        "meta": {"epoch": 1, "seed": 1 << 63, "dataset_meta": {"classes": ("a", "b"), "palette": [[1, 2, 3]]}},
        "message_hub": {"log_scalars": collections.OrderedDict(loss=history()), "resumed_keys": {}},
        "args": arguments,
        "hyper_parameters": stand_in("pytorch_lightning.utilities.parsing", AttributeDict)(lr=1.0),
        "cfg": stand_in("yacs.config", CfgNode)({"MODEL": CfgNode({"NAME": "x"})}),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": scheduler.state_dict(),
    }


def main():
    state = fixtures.tensors()
    marked = state["plain.weight"]
    marked.tag = "a tensor with an attribute"
    beside = notes()
    torch.save({**beside, "state_dict": state}, fixtures.OUT / "notes.pt")
    torch.save({**beside, "state_dict": AttributeDict(state)}, fixtures.OUT / "notes-protocol4.pt", pickle_protocol=4)
    torch.save({**beside, "model": collections.defaultdict(None, state)}, fixtures.OUT / "notes-legacy.pt", _use_new_zipfile_serialization=False)

    # The module whose state dict is script-expected.safetensors.
    for cls in (fixtures.Tiny, fixtures.Block):
        stand_in("clip.model", cls)
    torch.manual_seed(2)
    module = fixtures.Tiny().eval()
    module.resblocks.register_forward_hook(print)
    module.activation = torch.nn.functional.gelu
    torch.save(module, fixtures.OUT / "module.pt")
    torch.save({"model": torch.nn.DataParallel(module), "epoch": 3}, fixtures.OUT / "module-wrapped.pt", pickle_protocol=4)

    # The older format has the source of each class beside it; no source of PyTorch's belongs here.
    torch.serialization.get_source_lines_and_file = lambda cls: ([""], 0, "")
    torch.save(module, fixtures.OUT / "module-legacy.pt", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
