"""Writes a reference file for samples/TinyGpt: a pre-norm GPT trained a few steps with PyTorch in float64, rounded to float32.

    python3 tools/make_gpt_reference.py OUT [--layers 2] [--width 64] [--heads 4] [--context 32] [--vocabulary 48] [--batch 8] [--steps 40] [--seed 0]
    dotnet run -c Release --project samples/TinyGpt -- --reference OUT

Needs PyTorch and NumPy.
"""
import argparse
import json
import struct

import numpy as np
import torch
import torch.nn.functional as F


def save(path, tensors, metadata):
    header, offset, blobs = {"__metadata__": metadata}, 0, []
    for name, value in tensors.items():
        data = np.ascontiguousarray(value)
        kind = {"float32": "F32", "int32": "I32"}[str(data.dtype)]
        header[name] = {"dtype": kind, "shape": list(data.shape), "data_offsets": [offset, offset + data.nbytes]}
        offset += data.nbytes
        blobs.append(data.tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def draw(o):
    """GPT-2's start values: 0.02, less on the way into the residual stream; norms 1 and 0; biases 0."""
    def normal(*shape, std=0.02):
        # Rounded to float32 first: both sides start from the same values.
        return (torch.randn(*shape) * std).double()

    w, p = o.width, {"tok.weight": normal(o.vocabulary, o.width), "pos.weight": normal(o.context, o.width)}
    for name in ["ln_f"] + [f"blocks.{i}.{n}" for i in range(o.layers) for n in ("ln1", "ln2")]:
        p[name + ".weight"], p[name + ".bias"] = torch.ones(w).double(), torch.zeros(w).double()
    inner = 0.02 / (2 * o.layers) ** 0.5
    for i in range(o.layers):
        for name, rows, columns, std in (("qkv", 3 * w, w, 0.02), ("proj", w, w, inner), ("fc1", 4 * w, w, 0.02), ("fc2", w, 4 * w, inner)):
            p[f"blocks.{i}.{name}.weight"], p[f"blocks.{i}.{name}.bias"] = normal(rows, columns, std=std), torch.zeros(rows).double()
    return {name: value.requires_grad_() for name, value in p.items()}


def forward(o, p, ids):
    batch, length = ids.shape
    x = p["tok.weight"][ids] + p["pos.weight"][:length]
    hidden = torch.full((length, length), float("-inf"), dtype=torch.float64).triu(1)

    def norm(name, value):
        return F.layer_norm(value, (o.width,), p[name + ".weight"], p[name + ".bias"])

    def linear(name, value):
        return F.linear(value, p[name + ".weight"], p[name + ".bias"])

    for i in range(o.layers):
        block = f"blocks.{i}."
        q, k, v = linear(block + "qkv", norm(block + "ln1", x)).chunk(3, dim=-1)
        q, k, v = (t.view(batch, length, o.heads, -1).transpose(1, 2) for t in (q, k, v))
        weights = torch.softmax(q @ k.transpose(-1, -2) / (o.width // o.heads) ** 0.5 + hidden, dim=-1)
        x = x + linear(block + "proj", (weights @ v).transpose(1, 2).reshape(batch, length, -1))
        x = x + linear(block + "fc2", F.gelu(linear(block + "fc1", norm(block + "ln2", x))))
    return norm("ln_f", x) @ p["tok.weight"].T


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    for name, value in dict(layers=2, width=64, heads=4, context=32, vocabulary=48, batch=8, steps=40, seed=0).items():
        parser.add_argument("--" + name, type=int, default=value)
    o = parser.parse_args()
    torch.manual_seed(o.seed)
    options = dict(lr=1e-3, betas=[0.9, 0.95], eps=1e-8, weight_decay=0.1)
    p = draw(o)
    # Each token follows from the one before, with some noise: there is something to learn.
    tokens = torch.empty(o.steps, o.batch, o.context + 1, dtype=torch.long)
    tokens[..., 0] = torch.randint(o.vocabulary, (o.steps, o.batch))
    for t in range(o.context):
        tokens[..., t + 1] = (tokens[..., t] * 5 + 3 + torch.randint(3, (o.steps, o.batch))) % o.vocabulary
    out = {"param." + k: v.detach().float().numpy() for k, v in p.items()}
    out["tokens"] = tokens.int().numpy()
    optimizer, losses = torch.optim.AdamW(p.values(), **options), []
    for step in range(o.steps):
        logits = forward(o, p, tokens[step, :, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), tokens[step, :, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            out["logits.0"] = logits.detach().float().numpy()
            out.update({"grad." + k: v.grad.float().numpy() for k, v in p.items()})
        optimizer.step()
        losses.append(loss.item())
    out["losses"] = np.array(losses, dtype=np.float32)
    out.update({"final." + k: v.detach().float().numpy() for k, v in p.items()})
    sizes = {k: v for k, v in vars(o).items() if k not in ("out", "seed")}
    save(o.out, out, {"options": json.dumps(dict(kind="tiny-gpt", **sizes, **options, gelu="erf", tied_output=True))})
    print(f"{o.out}: loss {losses[0]:.4f} -> {losses[-1]:.4f}")


main()
