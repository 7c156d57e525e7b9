#!/usr/bin/env python3
"""Writes a CLIP with random weights: for checking and timing without a download.

    python3 tools/make_random_clip.py OUT [--model b16|b32|l14|l14-336|h14|...] [--format hf|open_clip] [--half] [--tokenizer FOLDER] [--seed N]

--format hf makes a Hugging Face folder, open_clip makes open_clip_model.safetensors and open_clip_config.json. The models whose names end in -small have the
heads, patches and grids of the large ones, but few layers and narrow towers; the tests use them. Weights have the standard deviations of CLIP's own
initialisation, made somewhat larger so that no activation is close to trivial; norms and biases are random too. With --tokenizer, vocab.json and merges.txt of
that folder are copied, if their ids fit.
"""
import argparse
import json
import shutil
from pathlib import Path

import torch

from make_reference import to_openai, write_safetensors


class Sizes:
    """width, layers, heads, patch, image; width, layers, heads of the text tower; joint width; and what a usual CLIP does not vary."""

    def __init__(self, *sizes, activation=("quick_gelu", "quick_gelu"), eps=1e-5, context=77, vocabulary=49408, mlp=4):
        self.width, self.layers, self.heads, self.patch, self.image, self.text_width, self.text_layers, self.text_heads, self.joint = sizes
        self.activation, self.eps, self.context, self.vocabulary, self.mlp = activation, eps, context, vocabulary, mlp


GELU = ("gelu", "gelu")
MODELS = {
    "b16": Sizes(768, 12, 12, 16, 224, 512, 12, 8, 512),
    "b32": Sizes(768, 12, 12, 32, 224, 512, 12, 8, 512),
    "l14": Sizes(1024, 24, 16, 14, 224, 768, 12, 12, 768),
    "l14-336": Sizes(1024, 24, 16, 14, 336, 768, 12, 12, 768),
    "h14": Sizes(1280, 32, 16, 14, 224, 1024, 24, 16, 1024, activation=GELU),
    "l14-336-small": Sizes(64, 1, 1, 14, 336, 64, 1, 1, 32, activation=("quick_gelu", "gelu"), eps=1e-3, context=12, vocabulary=300, mlp=2),
    "h14-small": Sizes(160, 2, 2, 14, 56, 128, 1, 2, 48, activation=GELU, context=12, vocabulary=300, mlp=2),
}


def weights(model, seed):
    generator = torch.Generator().manual_seed(seed)
    m = MODELS[model]
    result = {}

    def normal(name, *shape, std, mean=0.0):
        result[name] = torch.randn(*shape, generator=generator) * std + mean

    def norm(name, size):
        normal(f"{name}.weight", size, std=0.2, mean=1.0)
        normal(f"{name}.bias", size, std=0.1)

    def tower(prefix, size, count):
        for layer in range(count):
            name = f"{prefix}.encoder.layers.{layer}"
            for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                scale = 1.5 if part in ("q_proj", "k_proj") else 1.0
                normal(f"{name}.self_attn.{part}.weight", size, size, std=scale * size ** -0.5)
                normal(f"{name}.self_attn.{part}.bias", size, std=0.1)
            normal(f"{name}.mlp.fc1.weight", m.mlp * size, size, std=size ** -0.5)
            normal(f"{name}.mlp.fc1.bias", m.mlp * size, std=0.1)
            normal(f"{name}.mlp.fc2.weight", size, m.mlp * size, std=(m.mlp * size) ** -0.5)
            normal(f"{name}.mlp.fc2.bias", size, std=0.1)
            norm(f"{name}.layer_norm1", size)
            norm(f"{name}.layer_norm2", size)

    normal("vision_model.embeddings.class_embedding", m.width, std=0.5)
    normal("vision_model.embeddings.patch_embedding.weight", m.width, 3, m.patch, m.patch, std=(3 * m.patch * m.patch) ** -0.5)
    normal("vision_model.embeddings.position_embedding.weight", (m.image // m.patch) ** 2 + 1, m.width, std=0.5)
    norm("vision_model.pre_layrnorm", m.width)
    tower("vision_model", m.width, m.layers)
    norm("vision_model.post_layernorm", m.width)
    normal("visual_projection.weight", m.joint, m.width, std=m.width ** -0.5)
    normal("text_model.embeddings.token_embedding.weight", m.vocabulary, m.text_width, std=0.5)
    normal("text_model.embeddings.position_embedding.weight", m.context, m.text_width, std=0.3)
    tower("text_model", m.text_width, m.text_layers)
    norm("text_model.final_layer_norm", m.text_width)
    normal("text_projection.weight", m.joint, m.text_width, std=m.text_width ** -0.5)
    result["logit_scale"] = torch.tensor(4.6052)
    return result


def config(model):
    """Hugging Face's config.json."""
    m = MODELS[model]
    shared = {"layer_norm_eps": m.eps, "projection_dim": m.joint}
    return {
        "architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": m.joint, "logit_scale_init_value": 2.6592,
        "text_config": {"hidden_size": m.text_width, "intermediate_size": m.mlp * m.text_width, "num_attention_heads": m.text_heads,
                        "num_hidden_layers": m.text_layers, "max_position_embeddings": m.context, "vocab_size": m.vocabulary,
                        "bos_token_id": m.vocabulary - 2, "eos_token_id": m.vocabulary - 1, "hidden_act": m.activation[1], **shared},
        "vision_config": {"hidden_size": m.width, "intermediate_size": m.mlp * m.width, "num_attention_heads": m.heads, "num_hidden_layers": m.layers,
                          "image_size": m.image, "patch_size": m.patch, "hidden_act": m.activation[0], **shared},
    }


def open_clip_config(model):
    """open_clip_config.json; a model without quick_gelu has GELU."""
    m = MODELS[model]
    result = {
        "embed_dim": m.joint,
        "vision_cfg": {"image_size": m.image, "layers": m.layers, "width": m.width, "head_width": m.width // m.heads, "patch_size": m.patch, "mlp_ratio": m.mlp},
        "text_cfg": {"context_length": m.context, "vocab_size": m.vocabulary, "width": m.text_width, "heads": m.text_heads, "layers": m.text_layers, "mlp_ratio": m.mlp},
    }
    if m.activation == ("quick_gelu", "quick_gelu"):
        result["quick_gelu"] = True
    elif m.activation != GELU or m.eps != 1e-5:
        raise SystemExit(f"{model}: open_clip has one activation for both towers")
    return {"model_cfg": result, "preprocess_cfg": {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--model", choices=MODELS, default="b16")
    parser.add_argument("--format", choices=["hf", "open_clip"], default="hf")
    parser.add_argument("--half", action="store_true", help="store float16")
    parser.add_argument("--tokenizer", type=Path, metavar="FOLDER", help="copy vocab.json and merges.txt from here")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    vocabulary = MODELS[options.model].vocabulary
    options.out.mkdir(parents=True, exist_ok=True)
    if options.tokenizer:
        largest = max(json.loads((options.tokenizer / "vocab.json").read_text(encoding="utf-8")).values())
        if largest >= vocabulary:
            parser.error(f"--tokenizer {options.tokenizer}: has the id {largest}, the model only {vocabulary}")
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(options.tokenizer / name, options.out / name)
    tensors = weights(options.model, options.seed)
    if options.format == "open_clip":
        tensors = to_openai(tensors)
    if options.half:
        tensors = {name: value.half() for name, value in tensors.items()}
    file, text = ("config.json", config) if options.format == "hf" else ("open_clip_config.json", open_clip_config)
    (options.out / file).write_text(json.dumps(text(options.model), indent=2) + "\n")
    write_safetensors(options.out / ("model.safetensors" if options.format == "hf" else "open_clip_model.safetensors"), tensors, {"format": "pt"})
    print(f"{options.out}: {sum(t.numel() for t in tensors.values()) / 1e6:.1f} M weights")


if __name__ == "__main__":
    main()
