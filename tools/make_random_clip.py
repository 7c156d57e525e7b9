#!/usr/bin/env python3
"""Writes a CLIP of full size with random weights as a Hugging Face folder (fp32): for checking and timing without a download.

    python3 tools/make_random_clip.py OUT [--model b16|b32|l14] [--tokenizer FOLDER] [--seed N]

Weights have the standard deviations of CLIP's own initialisation, made somewhat larger so that no activation is close to trivial; norms and biases are random too.
With --tokenizer, vocab.json and merges.txt of that folder are copied, if their ids fit.
"""
import argparse
import json
import shutil
from pathlib import Path

import torch

from make_reference import write_safetensors

# width, layers, heads, patch, image; width, layers, heads of the text tower; joint width
MODELS = {"b16": (768, 12, 12, 16, 224, 512, 12, 8, 512), "b32": (768, 12, 12, 32, 224, 512, 12, 8, 512), "l14": (1024, 24, 16, 14, 224, 768, 12, 12, 768)}
CONTEXT, VOCABULARY = 77, 49408


def weights(model, seed):
    generator = torch.Generator().manual_seed(seed)
    width, layers, _, patch, image, text_width, text_layers, _, joint = MODELS[model]
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
            normal(f"{name}.mlp.fc1.weight", 4 * size, size, std=size ** -0.5)
            normal(f"{name}.mlp.fc1.bias", 4 * size, std=0.1)
            normal(f"{name}.mlp.fc2.weight", size, 4 * size, std=(4 * size) ** -0.5)
            normal(f"{name}.mlp.fc2.bias", size, std=0.1)
            norm(f"{name}.layer_norm1", size)
            norm(f"{name}.layer_norm2", size)

    normal("vision_model.embeddings.class_embedding", width, std=0.5)
    normal("vision_model.embeddings.patch_embedding.weight", width, 3, patch, patch, std=(3 * patch * patch) ** -0.5)
    normal("vision_model.embeddings.position_embedding.weight", (image // patch) ** 2 + 1, width, std=0.5)
    norm("vision_model.pre_layrnorm", width)
    tower("vision_model", width, layers)
    norm("vision_model.post_layernorm", width)
    normal("visual_projection.weight", joint, width, std=width ** -0.5)
    normal("text_model.embeddings.token_embedding.weight", VOCABULARY, text_width, std=0.5)
    normal("text_model.embeddings.position_embedding.weight", CONTEXT, text_width, std=0.3)
    tower("text_model", text_width, text_layers)
    norm("text_model.final_layer_norm", text_width)
    normal("text_projection.weight", joint, text_width, std=text_width ** -0.5)
    result["logit_scale"] = torch.tensor(4.6052)
    return result


def config(model):
    width, layers, heads, patch, image, text_width, text_layers, text_heads, joint = MODELS[model]
    shared = {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, "projection_dim": joint}
    return {
        "architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": joint, "logit_scale_init_value": 2.6592,
        "text_config": {"hidden_size": text_width, "intermediate_size": 4 * text_width, "num_attention_heads": text_heads, "num_hidden_layers": text_layers,
                        "max_position_embeddings": CONTEXT, "vocab_size": VOCABULARY, "bos_token_id": 49406, "eos_token_id": 49407, **shared},
        "vision_config": {"hidden_size": width, "intermediate_size": 4 * width, "num_attention_heads": heads, "num_hidden_layers": layers,
                          "image_size": image, "patch_size": patch, **shared},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--model", choices=MODELS, default="b16")
    parser.add_argument("--tokenizer", type=Path, metavar="FOLDER", help="copy vocab.json and merges.txt from here")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.tokenizer:
        largest = max(json.loads((options.tokenizer / "vocab.json").read_text(encoding="utf-8")).values())
        if largest >= VOCABULARY:
            parser.error(f"--tokenizer {options.tokenizer}: has the id {largest}, the model only {VOCABULARY}")
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(options.tokenizer / name, options.out / name)
    (options.out / "config.json").write_text(json.dumps(config(options.model), indent=2) + "\n")
    tensors = weights(options.model, options.seed)
    write_safetensors(options.out / "model.safetensors", tensors, {"format": "pt"})
    print(f"{options.out}: {sum(t.numel() for t in tensors.values()) / 1e6:.1f} M weights")


if __name__ == "__main__":
    main()
