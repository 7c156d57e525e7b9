#!/usr/bin/env python3
"""Writes the small PyTorch checkpoints under tests/data/checkpoints and, beside them, the values a reader must find (expected.safetensors);
and tests/data/checkpoints/tokens.json, difficult texts with the ids that CLIP's rules give them, worked out here in the plainest way.

Needs PyTorch and regex (Debian: python3-torch, python3-regex). Run from the repository root: python3 tools/make_checkpoint_fixtures.py
"""
import html
import json
import struct
import zipfile
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


def without_debug_records(path):
    """Drops what TorchScript remembers of the source files (their paths, for stack traces)."""
    with zipfile.ZipFile(path) as archive:
        kept = [(name, archive.read(name)) for name in archive.namelist() if not name.endswith(".debug_pkl")]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in kept:
            archive.writestr(zipfile.ZipInfo(name), content)


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


TEXTS = [
    "a photo of a cat", "A PHOTO\tof\n\n a  Sandwich! ", "it's they'RE I'll we've I'm he'd don't 'tis 'S", "''s 'll'll 'x",
    "abc123def 4.5% x\u00b2 \u2167 \u00bd", "&amp;lt;b&amp;gt; &quot;hi&quot; &#39;s", "don\u2019t \u201cquote\u201d \u2013 dash\u2026",
    "\u0130stanbul \u0131", "\u039f\u0394\u039f\u03a3 \u03a3\u0391\u03a3 \u03a3. \u0391\u03a3'\u0391", "\u65e5\u672c\u8a9e \u30c6\u30b9\u30c8 \ud55c\uad6d\uc5b4", "na\u00efve cr\u00eape cafe\u0301 An\u0303o",
    "\U0001d400bc x\U00020000y \U0001f600\U0001f600!?\u2603", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22", "<|endoftext|> x<|startoftext|>y <|END", "a\u00a0b\u2003c\u3000d\u001cE\u0085f\u200bg",
    "\u00c0\u00d6\u1e9e\u00df \u017f '\u017fx \u212a", "!!! ... -- -foo_bar- (x) [y] {z} \\ / @#$%^&*+=~`|", "", "   ", "\ufffd\u0007\u0000x", "\u01c5\u02b0\u0e31 \u2160",
]


def tokenize(text, vocab, ranks, byte_symbols):
    import regex
    import unicodedata
    text = html.unescape(html.unescape(unicodedata.normalize("NFC", text)))
    text = regex.sub(r"[\s\x1c-\x1f]+", " ", text).strip().lower()
    words = regex.findall(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", text, regex.IGNORECASE)
    ids = []
    for word in words:
        if word in ("<|startoftext|>", "<|endoftext|>"):
            ids.append(vocab[word])
            continue
        symbols = [byte_symbols[b] for b in word.encode()]
        symbols[-1] += "</w>"
        while len(symbols) > 1:
            pairs = set(zip(symbols, symbols[1:]))
            best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)))
            if best not in ranks:
                break
            merged, i = [], 0
            while i < len(symbols):
                if tuple(symbols[i:i + 2]) == best:
                    merged.append(symbols[i] + symbols[i + 1])
                    i += 2
                else:
                    merged.append(symbols[i])
                    i += 1
            symbols = merged
        ids += [vocab[s] for s in symbols]
    return [vocab["<|startoftext|>"]] + ids + [vocab["<|endoftext|>"]]


def load_vocabulary(folder):
    vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")[1:]
    ranks = {tuple(line.split(" ")): rank for rank, line in enumerate(line for line in lines if line)}
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    byte_symbols = {**{b: chr(b) for b in printable}, **{b: chr(256 + n) for n, b in enumerate(others)}}
    return vocab, ranks, byte_symbols


def write_tokens():
    vocabulary = load_vocabulary(Path("tests/data/clip-tiny/hf"))
    rows = [{"text": text, "ids": tokenize(text, *vocabulary)} for text in TEXTS]
    (OUT / "tokens.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")


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
    without_debug_records(OUT / "script.pt")
    write_expected(OUT / "script-expected.safetensors", module.state_dict())
    write_tokens()


if __name__ == "__main__":
    main()
