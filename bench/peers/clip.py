"""CLIP ViT-B/16's towers and their deep prompts in plain PyTorch, as a user would write them."""
import math

import torch
import torch.nn.functional as F

PATCH, GRID, VISION_HEADS, TEXT_HEADS, EPS = 16, 14, 12, 8, 1e-5


def norm(x, w, name, eps=EPS):
    return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"], eps)


def linear(x, w, name):
    return F.linear(x, w[name + ".weight"], w[name + ".bias"])


def attention(q, k, v, mask=None):
    """q, k, v [B, heads, T, d] -> [B, T, heads d]; through PyTorch's fused kernels where it has them (from 2.0 on)."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)
    scores = (q * (q.shape[-1] ** -0.5)) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


def block(x, w, name, heads, mask=None):
    b, t, d = x.shape
    packed = F.linear(norm(x, w, name + ".ln_1"), w[name + ".attn.in_proj_weight"], w[name + ".attn.in_proj_bias"])
    q, k, v = packed.reshape(b, t, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
    x = x + linear(attention(q, k, v, mask), w, name + ".attn.out_proj")
    h = linear(norm(x, w, name + ".ln_2"), w, name + ".mlp.c_fc")
    return x + linear(h * torch.sigmoid(1.702 * h), w, name + ".mlp.c_proj")


def layers(w, prefix):
    return sum(1 for name in w if name.startswith(prefix) and name.endswith(".ln_1.weight"))


class Vision:
    def __init__(self, w, size):
        self.w, self.grid = w, size // PATCH
        table = w["visual.positional_embedding"]
        if self.grid != GRID:
            patches = table[1:].t().reshape(1, -1, GRID, GRID)
            patches = F.interpolate(patches, size=(self.grid, self.grid), mode="bilinear", align_corners=False)
            table = torch.cat([table[:1], patches.flatten(2)[0].t()])
        self.positions = table
        self.layers = layers(w, "visual.")

    def embed(self, image):
        patches = F.conv2d(image, self.w["visual.conv1.weight"], stride=PATCH).flatten(2).transpose(1, 2)
        token = self.w["visual.class_embedding"].expand(len(image), 1, -1)
        return norm(torch.cat([token, patches], 1) + self.positions, self.w, "visual.ln_pre")

    def block(self, x, i):
        return block(x, self.w, f"visual.transformer.resblocks.{i}", VISION_HEADS)

    def project(self, x):
        return F.linear(norm(x, self.w, "visual.ln_post"), self.w["visual.proj"])

    def encode(self, image):
        x = self.embed(image)
        for i in range(self.layers):
            x = self.block(x, i)
        return self.project(x[:, 0])

    def encode_prompted(self, image, p, dropout):
        """Deep prompts (M tokens after the class token, replaced before every layer) -> g [B, E] and V [B, N, E] of unit length."""
        x, count, name = self.embed(image), len(p["visual.prompt.shallow"]), "visual.prompt."
        for i in range(self.layers):
            tokens = p[name + "shallow"] if i == 0 else p[name + "deep"][i - 1]
            tokens = F.dropout(linear(tokens, p, name + "proj"), dropout).expand(len(x), -1, -1)
            x = torch.cat([x[:, :1], tokens, x[:, 1 if i == 0 else 1 + count:]], 1)
            x = self.block(x, i)
        y = self.project(norm(x, p, name + "norm", 1e-6))
        return F.normalize(y[:, 0], dim=-1), F.normalize(y[:, 1 + count:], dim=-1)


class Text:
    def __init__(self, w, ids):
        """ids [n, length]; the end of a text is its largest id."""
        self.w, self.ids, self.ends = w, ids, ids.argmax(-1)
        length = ids.shape[1]
        self.mask = torch.full((length, length), -math.inf).triu(1)
        self.layers = layers(w, "transformer.")

    def encode(self, prompts=None):
        """prompts [layers, K, width] overwrite positions 1..K before every layer."""
        x = self.w["token_embedding.weight"][self.ids] + self.w["positional_embedding"][: self.ids.shape[1]]
        for i in range(self.layers):
            if prompts is not None:
                x = torch.cat([x[:, :1], prompts[i].expand(len(x), -1, -1), x[:, 1 + prompts.shape[1]:]], 1)
            x = block(x, self.w, f"transformer.resblocks.{i}", TEXT_HEADS, self.mask)
        x = norm(x[torch.arange(len(x)), self.ends], self.w, "ln_final")
        return F.linear(x, self.w["text_projection"])
