#!/usr/bin/env python3
"""Writes a reference file for `ldvc compare`: one training forward and backward of LDVC (or a baseline) in PyTorch, dropout off, float64 by default.

    python3 tools/make_ldvc_reference.py CLIP OUT.safetensors [--size 512x512] [--batch 2] [--classes 15] [--attention route|full|none]
        [--decoder vision-query|class-query] [--head attention|dot] [--heads 8] [-S 8] [--topk 16] [--vision-prompts 10] [--text-prompts 4]
        [--layers 3] [--std 0.2] [--cls-twice] [--float32] [--seed 0]
    ldvc compare --clip CLIP --reference OUT.safetensors

CLIP is anything that make_reference.py reads. Parameters, pictures, token ids and labels are random; the parameters are larger than
a fresh model's (--std), so that no gradient is small by accident. Written from the equations alone, in the plainest way, with autograd: route attention gathers, the
loss stores its full-size tensor. Needs PyTorch and nothing else.
"""
import argparse
import json
import math

import torch
import torch.nn.functional as F

from make_reference import Clip, load_weights, to_openai, write_safetensors


# --- parameters ------------------------------------------------------------------------------------------------------------------------------

def make_parameters(clip, options, generator):
    width, text_width = clip.w["visual.conv1.weight"].shape[0], clip.w["token_embedding.weight"].shape[1]
    joint = clip.w["visual.proj"].shape[1]
    vision_layers = sum(name.endswith("ln_1.weight") and name.startswith("visual.") for name in clip.w)
    text_layers = sum(name.endswith("ln_1.weight") and name.startswith("transformer.") for name in clip.w)
    p = {}

    def normal(name, *shape, scale):
        p[name] = torch.randn(*shape, generator=generator, dtype=torch.float64) * scale

    def linear(name, outputs, inputs):
        normal(f"{name}.weight", outputs, inputs, scale=options.std * 8 / math.sqrt(inputs))
        normal(f"{name}.bias", outputs, scale=options.std)

    def norm(name, size):
        normal(f"{name}.weight", size, scale=options.std)
        p[f"{name}.weight"] += 1
        normal(f"{name}.bias", size, scale=options.std)

    if options.vision_prompts:
        normal("visual.prompt.shallow", options.vision_prompts, width, scale=0.3)
        if vision_layers > 1:
            normal("visual.prompt.deep", vision_layers - 1, options.vision_prompts, width, scale=0.3)
        linear("visual.prompt.proj", width, width)
    norm("visual.prompt.norm", width)
    if options.text_prompts:
        normal("text.prompt", text_layers, options.text_prompts, text_width, scale=0.3)
    linear("adapter", joint, 2 * joint)
    for i in range(options.layers):
        for part in (["self"] if options.attention != "none" and options.decoder == "vision-query" else []) + ["cross"]:
            for name in "qkvo":
                linear(f"decoder.layers.{i}.{part}.{name}", joint, joint)
        linear(f"decoder.layers.{i}.ffn.fc1", 4 * joint, joint)
        linear(f"decoder.layers.{i}.ffn.fc2", joint, 4 * joint)
        for name in ("norm1", "norm2", "norm3"):
            norm(f"decoder.layers.{i}.{name}", joint)
    return {name: value.float().to(options.dtype).requires_grad_() for name, value in p.items()}


# --- the model -------------------------------------------------------------------------------------------------------------------------------

class Ldvc:
    def __init__(self, clip, parameters, options):
        self.clip, self.p, self.options = clip, parameters, options

    def linear(self, x, name):
        return F.linear(x, self.p[f"{name}.weight"], self.p[f"{name}.bias"])

    def norm(self, x, name, eps=1e-5):
        return F.layer_norm(x, x.shape[-1:], self.p[f"{name}.weight"], self.p[f"{name}.bias"], eps)

    def vision(self, image):
        """Class embedding g [B, E] and patch embeddings V [B, N, E], both of length one."""
        clip, count = self.clip, self.options.vision_prompts
        patches = F.conv2d(image, clip.w["visual.conv1.weight"], stride=clip.patch)
        rows, columns = patches.shape[2:]
        token = clip.w["visual.class_embedding"].expand(len(image), 1, -1)
        x = torch.cat([token, patches.flatten(2).transpose(1, 2)], 1) + clip.positions(rows, columns)
        if self.options.cls_twice:
            x = torch.cat([x[:, :1] + clip.w["visual.class_embedding"], x[:, 1:]], 1)
        x = clip.norm(x, "visual.ln_pre")
        layer = 0
        while f"visual.transformer.resblocks.{layer}.ln_1.weight" in clip.w:
            if count:
                own = self.p["visual.prompt.shallow"] if layer == 0 else self.p["visual.prompt.deep"][layer - 1]
                prompts = self.linear(own, "visual.prompt.proj").expand(len(image), -1, -1)
                x = torch.cat([x[:, :1], prompts, x[:, 1 if layer == 0 else 1 + count:]], 1)
            x = clip.block(x, f"visual.transformer.resblocks.{layer}", clip.settings["vision"]["heads"], False)
            layer += 1
        x = F.normalize(clip.project(self.norm(x, "visual.prompt.norm", 1e-6)), dim=-1)
        return x[:, 0], x[:, 1 + count:]

    def text(self, ids):
        """Class embeddings t [C, E] of length one."""
        clip, count = self.clip, self.options.text_prompts
        x = clip.w["token_embedding.weight"][ids] + clip.w["positional_embedding"][: ids.shape[1]]
        layer = 0
        while f"transformer.resblocks.{layer}.ln_1.weight" in clip.w:
            if count:
                prompts = self.p["text.prompt"][layer].expand(len(ids), -1, -1)
                x = torch.cat([x[:, :1], prompts, x[:, 1 + count:]], 1)
            x = clip.block(x, f"transformer.resblocks.{layer}", clip.settings["text"]["heads"], True)
            layer += 1
        return F.normalize(clip.read_text(x, ids), dim=-1)

    def heads(self, x):
        return x.unflatten(-1, (self.options.heads, -1)).transpose(1, 2)

    def attend(self, q, k, v, mask=None):
        scores = self.heads(q) @ self.heads(k).transpose(-1, -2) / math.sqrt(q.shape[-1] / self.options.heads)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], float("-inf"))
        return (scores.softmax(-1) @ self.heads(v)).transpose(1, 2).flatten(2)

    def routed(self, q, k, grid):
        """[B, N, N]: whether a query's window chose the key's window."""
        rows, columns = grid
        edge = [math.ceil(side / self.options.S) for side in grid]
        down, across = (math.ceil(side / size) for side, size in zip(grid, edge))
        window = (torch.arange(rows)[:, None] // edge[0] * across + torch.arange(columns)[None] // edge[1]).flatten()
        member = F.one_hot(window, down * across).to(q.dtype)
        mean = (member / member.sum(0)).t()
        affinity = (mean @ q.detach()) @ (mean @ k.detach()).transpose(1, 2)
        order = affinity.sort(dim=-1, descending=True, stable=True).indices[..., : min(self.options.topk, down * across)]
        chosen = torch.zeros_like(affinity, dtype=torch.bool).scatter_(-1, order, True)
        gaps = affinity.sort(dim=-1, descending=True).values
        cut = order.shape[-1]
        self.margin = min(self.margin, ((gaps[..., cut - 1] - gaps[..., cut]) / affinity.abs().max()).min().item() if cut < gaps.shape[-1] else 1.0)
        return chosen[:, window][:, :, window]

    def decoder(self, patches, classes, grid):
        options, vision_query = self.options, self.options.decoder == "vision-query"
        x, other = (patches, classes) if vision_query else (classes, patches)
        self.margin, self.kinks = 1.0, 0
        for i in range(options.layers):
            name = f"decoder.layers.{i}"
            if vision_query and options.attention != "none":
                q, k, v = (self.linear(x, f"{name}.self.{part}") for part in "qkv")
                mask = self.routed(q, k, grid) if options.attention == "route" else None
                x = self.norm(x + self.linear(self.attend(q, k, v, mask), f"{name}.self.o"), f"{name}.norm1")
            q, k, v = self.linear(x, f"{name}.cross.q"), self.linear(other, f"{name}.cross.k"), self.linear(other, f"{name}.cross.v")
            if i == options.layers - 1 and options.head == "attention":
                scores = (self.heads(q) @ self.heads(k).transpose(-1, -2) / math.sqrt(q.shape[-1] / options.heads)).mean(1)
                break
            x = self.norm(x + self.linear(self.attend(q, k, v), f"{name}.cross.o"), f"{name}.norm2")
            before = self.linear(x, f"{name}.ffn.fc1")
            self.kinks += int((before.detach().abs() < 1e-6 * before.detach().abs().max()).sum())
            hidden = F.relu(before)
            x = self.norm(x + self.linear(hidden, f"{name}.ffn.fc2"), f"{name}.norm3")
        else:
            scores = x @ other.transpose(1, 2)
        return (scores.transpose(1, 2) if vision_query else scores).unflatten(-1, grid)

    def forward(self, image, ids):
        grid = tuple(side // self.clip.patch for side in image.shape[2:])
        g, patches = self.vision(image)
        t = self.text(ids)
        joined = torch.cat([t[None] * g[:, None], t.expand(len(g), -1, -1)], -1)
        logits = self.decoder(patches, self.linear(joined, "adapter"), grid)
        return {"class_embedding": g, "patch_embeddings": patches, "text_embeddings": t, "mask_logits": logits}


def loss(logits, labels):
    """total, focal, dice."""
    z = F.interpolate(logits, size=labels.shape[1:], mode="bilinear", align_corners=False)
    # 255 is no label however many classes there are.
    y = ((labels[:, None] == torch.arange(z.shape[1])[None, :, None, None]) & (labels[:, None] != 255)).to(z.dtype)
    pairs = max(1, int(y.flatten(2).amax(-1).sum()))
    p = z.sigmoid()
    agreement = p * y + (1 - p) * (1 - y)
    weight = 0.25 * y + 0.75 * (1 - y)
    focal = (weight * (1 - agreement) ** 2 * F.binary_cross_entropy_with_logits(z, y, reduction="none")).flatten(2).mean(-1).sum() / pairs
    overlap = 1 - (2 * (p * y).flatten(2).sum(-1) + 1) / (p.flatten(2).sum(-1) + y.flatten(2).sum(-1) + 1)
    dice = (overlap * y.flatten(2).amax(-1)).sum() / pairs
    return torch.stack([100 * focal + dice, focal, dice])


# --- inputs ----------------------------------------------------------------------------------------------------------------------------------

def make_inputs(clip, options, generator):
    height, width = (int(side) for side in options.size.lower().split("x")) if options.size else (clip.grid * clip.patch,) * 2
    image = torch.randn(options.batch, 3, height, width, generator=generator)

    # Start of text, the template's words, one to three words of a name, end of text.
    ids = torch.zeros(options.classes, clip.context, dtype=torch.int64)
    for row in ids:
        words = options.text_prompts + int(torch.randint(1, 4, (1,), generator=generator))
        row[1:words + 1] = torch.randint(0, clip.vocabulary - 2, (words,), generator=generator)
        row[0], row[words + 1] = clip.vocabulary - 2, clip.vocabulary - 1

    # Rectangles of some classes on an ignored background: most classes are absent, as in real pictures.
    labels = torch.full((options.batch, height, width), 255, dtype=torch.int64)
    for picture in labels:
        for _ in range(6):
            top, left = (int(torch.randint(0, side * 3 // 4, (1,), generator=generator)) for side in (height, width))
            tall, wide = (int(torch.randint(side // 8, side // 2, (1,), generator=generator)) for side in (height, width))
            picture[top:top + tall, left:left + wide] = int(torch.randint(0, options.classes, (1,), generator=generator))
    return image, ids, labels


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog="See the top of the script.")
    parser.add_argument("clip", help="Hugging Face folder, .pt, .pth, .bin or .safetensors")
    parser.add_argument("out", help="the reference file to write")
    parser.add_argument("--size", default="", metavar="HxW", help="picture size, multiples of the patch (default: the CLIP's own)")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--classes", type=int, default=15)
    parser.add_argument("--attention", choices=["route", "full", "none"], default="route")
    parser.add_argument("--decoder", choices=["vision-query", "class-query"], default="vision-query")
    parser.add_argument("--head", choices=["attention", "dot"], default="attention")
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("-S", type=int, default=8, help="windows along an edge")
    parser.add_argument("--topk", type=int, default=16)
    parser.add_argument("--vision-prompts", type=int, default=10)
    parser.add_argument("--text-prompts", type=int, default=4)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--cls-twice", action="store_true")
    parser.add_argument("--std", type=float, default=0.2, help="standard deviation of biases; matrices have 8 / sqrt(inputs) times that (default: 0.2)")
    parser.add_argument("--float32", action="store_true", help="compute in float32, to see how exact PyTorch itself is")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.dtype = torch.float32 if options.float32 else torch.float64
    generator = torch.Generator().manual_seed(options.seed)
    weights, config = load_weights(options.clip)
    clip = Clip({name: value.to(options.dtype) for name, value in to_openai(weights).items()}, config)
    model = Ldvc(clip, make_parameters(clip, options, generator), options)
    image, ids, labels = make_inputs(clip, options, generator)
    outputs = model.forward(image.to(options.dtype), ids)
    outputs["loss"] = loss(outputs["mask_logits"], labels)
    outputs["loss"][0].backward()
    tensors = {"image": image, "ids": ids, "labels": labels}
    tensors.update({name: value.detach().float() for name, value in outputs.items()})
    for name, value in model.p.items():
        tensors[f"param.{name}"] = value.detach().float()
        tensors[f"grad.{name}"] = (value.grad if value.grad is not None else torch.zeros_like(value)).float()
    settings = {"heads": options.heads, "S": options.S, "topk": options.topk, "attention": options.attention, "decoder": options.decoder, "head": options.head,
                "cls_twice": options.cls_twice, "vision_prompts": options.vision_prompts, "text_prompts": options.text_prompts, "layers": options.layers}
    note = f"tools/make_ldvc_reference.py, PyTorch {torch.__version__}, {'float32' if options.float32 else 'float64'}, seed {options.seed}"
    write_safetensors(options.out, tensors, {"options": json.dumps(settings), "note": note})
    print(f"{options.out}: loss {', '.join(f'{value:.6f}' for value in outputs['loss'].tolist())}")
    print(f"inputs of a ReLU within 1e-6 of zero: {model.kinks} (float32 may take the other side: one row each of a gradient of ffn.fc1)")
    if options.attention == "route" and options.decoder == "vision-query":
        print(f"closest decision of route attention: {model.margin:.1e} of the largest affinity (below 1e-6, float32 may choose another window)")


if __name__ == "__main__":
    main()
