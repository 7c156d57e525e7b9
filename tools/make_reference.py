#!/usr/bin/env python3
"""Writes a reference file for `ldvc compare` from your own CLIP: PyTorch's activations for inputs that the file carries along.

    python3 tools/make_reference.py CLIP OUT.safetensors [--rect 336x512] [--images 2] [--texts 4] [--inputs FILE] [--activation A] [--against transformers|clip]
    ldvc compare --clip CLIP --reference OUT.safetensors

CLIP is a Hugging Face folder (or the model.safetensors or pytorch_model.bin in one, or the .index.json of one that was cut into files), OpenAI's .pt
(TorchScript archive or plain state dict), or open_clip's weights with OpenAI's names. GELU or QuickGELU, heads and layer_norm_eps are read from config.json
or open_clip_config.json; for weights without one --activation says which. Nothing but PyTorch is needed: the model is written out below, in float32, in the plainest way.
--against also runs the transformers or clip package, when it is installed, and stops unless it agrees.

The file: image [n,3,s,s] (already normalised, random) and ids [m,context] -> visual.block{i}, image_features, text.block{i}, text_features (both projected,
not normalised), logits_per_image; and rect.image [1,3,H,W] -> rect.class_embedding, rect.patch_embeddings (projected, L2-normalised) with the positions
resized bilinearly. With --inputs the inputs are taken from another reference file.
"""
import argparse
import json
import math
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

WEIGHT_FILES = ["model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
                "pytorch_model.bin", "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin"]
TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32,
         "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}


# --- files -----------------------------------------------------------------------------------------------------------------------------------

def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        start, tensors = file.tell(), {}
        for name, entry in header.items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                file.seek(start + begin)
                data = bytearray(file.read(end - begin))
                dtype = TYPES[entry["dtype"]]
                values = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
                tensors[name] = values.reshape(entry["shape"])
    return tensors


def write_safetensors(path, tensors, metadata):
    """Tensors of float32, float16 and int64; 8-byte ones first, so that all lie on multiples of their size."""
    names = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))
    header, offset = {"__metadata__": metadata}, 0
    for name, tensor in ordered:
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, tensor in ordered:
            file.write(tensor.detach().contiguous().numpy().tobytes())


def unwrapped(tensors):
    """Out of what training loops put around a state dict, and without the "module." of distributed ones."""
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(tensors.get(key), dict):
            tensors = tensors[key]
    if all(name.startswith("module.") for name in tensors):
        tensors = {name[len("module."):]: value for name, value in tensors.items()}
    return tensors


def load_config(path, tensors):
    """heads, activation and epsilon of both towers, as far as a configuration beside the weights says them: Hugging Face's for its names, else open_clip's."""
    hugging_face = "text_model.embeddings.token_embedding.weight" in tensors
    config, open_clip = path.parent / "config.json", path.parent / "open_clip_config.json"
    if hugging_face and config.is_file():
        root = json.loads(config.read_text())
        towers = {tower: {**(root.get(f"{tower}_config") or {}), **(root.get(f"{tower}_config_dict") or {})} for tower in ("vision", "text")}
        return {tower: {"heads": values.get("num_attention_heads"), "activation": values.get("hidden_act", "quick_gelu"), "eps": values.get("layer_norm_eps", 1e-5)}
                for tower, values in towers.items()}
    if not hugging_face and open_clip.is_file():
        model = json.loads(open_clip.read_text())["model_cfg"]
        activation = "quick_gelu" if model.get("quick_gelu") else "gelu"
        vision, text = model.get("vision_cfg", {}), model.get("text_cfg", {})
        width = tensors["visual.conv1.weight"].shape[0]
        return {"vision": {"heads": width // vision.get("head_width", 64), "activation": activation, "eps": vision.get("norm_kwargs", {}).get("eps", 1e-5)},
                "text": {"heads": text.get("heads"), "activation": activation, "eps": text.get("norm_kwargs", {}).get("eps", 1e-5)}}
    return {}


def read_file(path):
    """The tensors of one file. Pickles may hold tensors and nothing else. A TorchScript archive is OpenAI's, so it has QuickGELU."""
    if path.suffix == ".safetensors":
        return read_safetensors(path), None
    try:
        return torch.jit.load(str(path), map_location="cpu").state_dict(), "quick_gelu"
    except RuntimeError:
        return unwrapped(torch.load(str(path), map_location="cpu", weights_only=True)), None


def load_weights(path, activation=None):
    """The tensors under whatever names they have, and the settings of both towers."""
    path = Path(path)
    if path.is_dir():
        found = [path / name for name in WEIGHT_FILES if (path / name).is_file()]
        if not found:
            sys.exit(f"{path}: expected one of {', '.join(WEIGHT_FILES)} here")
        path = found[0]
    script = None
    if path.name.endswith(".index.json"):
        tensors = {}
        for name in sorted(set(json.loads(path.read_text())["weight_map"].values())):
            tensors.update(read_file(path.parent / name)[0])
    else:
        tensors, script = read_file(path)
    config = {} if script else load_config(path, tensors)
    for tower in ("vision", "text"):
        settings = config.setdefault(tower, {})
        settings.setdefault("activation", script or activation)
        if settings["activation"] not in ("gelu", "quick_gelu"):
            sys.exit(f"{path}: the {tower} tower's activation is {settings['activation']}; expected gelu or quick_gelu, from a configuration or --activation")
    return tensors, config


# --- names -----------------------------------------------------------------------------------------------------------------------------------

TOWERS = {"vision_model": "visual.", "text_model": ""}
PLAIN = {
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "logit_scale": "logit_scale",
}
NORMS = {"vision_model.pre_layrnorm": "visual.ln_pre", "vision_model.post_layernorm": "visual.ln_post", "text_model.final_layer_norm": "ln_final"}
PARTS = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}


def to_openai(tensors):
    """All weights as float32 under OpenAI's names."""
    tensors = {name: tensor.detach().float() for name, tensor in tensors.items() if torch.is_tensor(tensor)}
    if "text_model.embeddings.token_embedding.weight" not in tensors:
        return tensors

    result = {new: tensors[old] for old, new in PLAIN.items()}
    result["visual.proj"] = tensors["visual_projection.weight"].t()
    result["text_projection"] = tensors["text_projection.weight"].t()
    for old, new in NORMS.items():
        for kind in ("weight", "bias"):
            result[f"{new}.{kind}"] = tensors[f"{old}.{kind}"]
    for tower, prefix in TOWERS.items():
        layer = 0
        while f"{tower}.encoder.layers.{layer}.mlp.fc1.weight" in tensors:
            old, new = f"{tower}.encoder.layers.{layer}", f"{prefix}transformer.resblocks.{layer}"
            for kind in ("weight", "bias"):
                for a, b in PARTS.items():
                    result[f"{new}.{b}.{kind}"] = tensors[f"{old}.{a}.{kind}"]
                result[f"{new}.attn.in_proj_{kind}"] = torch.cat([tensors[f"{old}.self_attn.{p}_proj.{kind}"] for p in "qkv"])
            layer += 1
    return result


# --- the model -------------------------------------------------------------------------------------------------------------------------------

class Clip:
    """CLIP's two towers, forward only."""

    def __init__(self, weights, config):
        self.w = weights
        self.patch = weights["visual.conv1.weight"].shape[-1]
        self.grid = math.isqrt(weights["visual.positional_embedding"].shape[0] - 1)
        self.context, self.vocabulary = weights["positional_embedding"].shape[0], weights["token_embedding.weight"].shape[0]
        for tower, width in (("vision", weights["visual.conv1.weight"].shape[0]), ("text", weights["token_embedding.weight"].shape[1])):
            settings = config[tower]
            settings["heads"] = settings.get("heads") or width // 64
            settings["eps"] = settings.get("eps", 1e-5)
        self.settings = config

    def norm(self, x, name):
        tower = "vision" if name.startswith("visual.") else "text"
        return F.layer_norm(x, x.shape[-1:], self.w[f"{name}.weight"], self.w[f"{name}.bias"], self.settings[tower]["eps"])

    def linear(self, x, name):
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def block(self, x, name, heads, causal):
        n, tokens, width = x.shape
        packed = F.linear(self.norm(x, f"{name}.ln_1"), self.w[f"{name}.attn.in_proj_weight"], self.w[f"{name}.attn.in_proj_bias"])
        q, k, v = packed.reshape(n, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / math.sqrt(width // heads)
        if causal:
            scores = scores + torch.full((tokens, tokens), float("-inf")).triu(1)
        attended = (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, tokens, width)
        x = x + self.linear(attended, f"{name}.attn.out_proj")
        hidden = self.linear(self.norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc")
        activation = self.settings["vision" if name.startswith("visual.") else "text"]["activation"]
        hidden = F.gelu(hidden) if activation == "gelu" else hidden * torch.sigmoid(1.702 * hidden)
        return x + self.linear(hidden, f"{name}.mlp.c_proj")

    def blocks(self, x, prefix, heads, causal):
        outputs = []
        while f"{prefix}{len(outputs)}.ln_1.weight" in self.w:
            x = self.block(x, f"{prefix}{len(outputs)}", heads, causal)
            outputs.append(x)
        return outputs

    def positions(self, rows, columns):
        table = self.w["visual.positional_embedding"]
        if (rows, columns) == (self.grid, self.grid):
            return table
        patches = table[1:].t().reshape(1, -1, self.grid, self.grid)
        patches = F.interpolate(patches, size=(rows, columns), mode="bilinear", align_corners=False)
        return torch.cat([table[:1], patches.flatten(2)[0].t()])

    def vision(self, image):
        """Every block's output [B, 1 + h*w, width]."""
        patches = F.conv2d(image, self.w["visual.conv1.weight"], stride=self.patch)
        rows, columns = patches.shape[2:]
        token = self.w["visual.class_embedding"].expand(len(image), 1, -1)
        x = torch.cat([token, patches.flatten(2).transpose(1, 2)], 1) + self.positions(rows, columns)
        return self.blocks(self.norm(x, "visual.ln_pre"), "visual.transformer.resblocks.", self.settings["vision"]["heads"], False)

    def project(self, tokens):
        return self.norm(tokens, "visual.ln_post") @ self.w["visual.proj"]

    def text(self, ids):
        """Every block's output [n, length, width]."""
        x = self.w["token_embedding.weight"][ids] + self.w["positional_embedding"][: ids.shape[1]]
        return self.blocks(x, "transformer.resblocks.", self.settings["text"]["heads"], True)

    def read_text(self, x, ids):
        ends = ids.argmax(-1)
        return self.norm(x, "ln_final")[torch.arange(len(ids)), ends] @ self.w["text_projection"]


# --- inputs and outputs ----------------------------------------------------------------------------------------------------------------------

def random_inputs(clip, options):
    generator = torch.Generator().manual_seed(options.seed)
    size = clip.grid * clip.patch
    inputs = {"image": torch.randn(options.images, 3, size, size, generator=generator)} if options.images else {}

    # Start of text, some words, end of text, zeros: the ids as CLIP's tokenizers give them, whatever the words may be.
    ids = torch.zeros(options.texts, clip.context, dtype=torch.int64)
    for row in ids:
        words = int(torch.randint(1, min(12, clip.context - 2) + 1, (1,), generator=generator))
        row[1:words + 1] = torch.randint(0, clip.vocabulary - 2, (words,), generator=generator)
        row[0], row[words + 1] = clip.vocabulary - 2, clip.vocabulary - 1
    if options.texts:
        inputs["ids"] = ids
    if options.half_inputs and options.images:
        inputs["image"] = inputs["image"].half()
    if options.rect:
        height, width = (int(side) for side in options.rect.lower().split("x"))
        if height % clip.patch or width % clip.patch:
            sys.exit(f"--rect {options.rect}: both sides must be multiples of the patch, {clip.patch}")
        inputs["rect.image"] = torch.randn(1, 3, height, width, generator=generator)
        if options.half_inputs:
            inputs["rect.image"] = inputs["rect.image"].half()
    return inputs


def compute(clip, inputs):
    inputs = {name: value if name == "ids" else value.float() for name, value in inputs.items()}
    outputs, features = {}, {}
    if "image" in inputs:
        blocks = clip.vision(inputs["image"])
        outputs.update({f"visual.block{i}": x for i, x in enumerate(blocks)})
        features["image"] = outputs["image_features"] = clip.project(blocks[-1][:, 0])
    if "ids" in inputs:
        blocks = clip.text(inputs["ids"])
        outputs.update({f"text.block{i}": x for i, x in enumerate(blocks)})
        features["text"] = outputs["text_features"] = clip.read_text(blocks[-1], inputs["ids"])
    if len(features) == 2:
        image, text = (F.normalize(features[kind], dim=-1) for kind in ("image", "text"))
        outputs["logits_per_image"] = clip.w["logit_scale"].reshape(()).exp() * image @ text.t()
    if "rect.image" in inputs:
        projected = F.normalize(clip.project(clip.vision(inputs["rect.image"])[-1]), dim=-1)
        outputs["rect.class_embedding"], outputs["rect.patch_embeddings"] = projected[:, 0], projected[:, 1:]
    return outputs


def check_against(package, path, inputs, outputs):
    """Stops unless an installed package gives the same features."""
    if package == "transformers":
        from transformers import CLIPModel
        model = CLIPModel.from_pretrained(path).float().eval()
        theirs = {"image_features": model.get_image_features(pixel_values=inputs["image"]), "text_features": model.get_text_features(input_ids=inputs["ids"])}
        theirs = {name: getattr(value, "pooler_output", value) for name, value in theirs.items()}
    else:
        import clip
        model = clip.load(path, device="cpu", jit=False)[0].float().eval()
        theirs = {"image_features": model.encode_image(inputs["image"]), "text_features": model.encode_text(inputs["ids"])}
    for name, values in theirs.items():
        error = ((values - outputs[name]).abs().max() / outputs[name].abs().max()).item()
        print(f"{name}: differs from the {package} package by {error:.1e} of the largest value")
        if not error < 1e-4:
            sys.exit(f"{name}: the {package} package computes something else; no file was written")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog="See the top of the script for what the file holds.")
    parser.add_argument("clip", help="Hugging Face folder, .pt, .pth, .bin or .safetensors")
    parser.add_argument("out", help="the reference file to write")
    parser.add_argument("--images", type=int, default=2, help="random pictures (default: 2; 0: none)")
    parser.add_argument("--texts", type=int, default=4, help="random texts (default: 4; 0: none)")
    parser.add_argument("--rect", default="", metavar="HxW", help="also a picture of this size, e.g. 512x512; sides are multiples of the patch")
    parser.add_argument("--inputs", metavar="FILE", help="take image, ids and rect.image from this reference file")
    parser.add_argument("--activation", choices=["gelu", "quick_gelu"], help="for weights without a configuration")
    parser.add_argument("--half-inputs", action="store_true", help="random pictures of float16 numbers: half the bytes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--against", choices=["transformers", "clip"], help="compare with this package before writing")
    options = parser.parse_args()
    with torch.no_grad():
        weights, config = load_weights(options.clip, options.activation)
        clip = Clip(to_openai(weights), config)
        if options.inputs:
            given = read_safetensors(options.inputs)
            inputs = {name: given[name] for name in ("image", "ids", "rect.image") if name in given}
            inputs = {name: value.long() if name == "ids" else value.float() for name, value in inputs.items()}
        else:
            inputs = random_inputs(clip, options)
        outputs = compute(clip, inputs)
        if options.against:
            check_against(options.against, options.clip, inputs, outputs)
    write_safetensors(options.out, {**inputs, **outputs}, {"note": f"tools/make_reference.py, PyTorch {torch.__version__}, float32"})
    print(f"{options.out}: {', '.join(outputs)}")


if __name__ == "__main__":
    main()
