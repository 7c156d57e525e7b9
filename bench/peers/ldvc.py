"""LDVC's decoder and loss in plain PyTorch, as a user would write them: route attention by gathering keys and values, the loss at full resolution."""
import torch
import torch.nn.functional as F

from clip import attention, linear, norm

HEADS, LAYERS = 8, 3


def heads(x, count=HEADS):
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def windows(x, grid, s):
    """[B, grid^2, D] -> [B, s^2, tokens of a window, D]."""
    b, _, d = x.shape
    edge = grid // s
    return x.reshape(b, s, edge, s, edge, d).transpose(2, 3).reshape(b, s * s, edge * edge, d)


def unwindows(x, grid, s):
    b, _, _, d = x.shape
    edge = grid // s
    return x.reshape(b, s, s, edge, edge, d).transpose(2, 3).reshape(b, grid * grid, d)


def route_attention(q, k, v, grid, s, top, count):
    """Each window's tokens attend to the gathered tokens of its `top` most similar windows."""
    q, k, v = windows(q, grid, s), windows(k, grid, s), windows(v, grid, s)
    b, n, t, d = q.shape
    with torch.no_grad():
        table = (q.mean(2) @ k.mean(2).transpose(-1, -2)).topk(top, -1).indices
    batch = torch.arange(b)[:, None, None]
    k, v = (x[batch, table].reshape(b * n, top * t, d) for x in (k, v))
    y = attention(heads(q.reshape(b * n, t, d), count), heads(k, count), heads(v, count))
    return unwindows(y.reshape(b, n, t, d), grid, s)


def decode(g, v, t, p, grid, dropout, s=8, top=16):
    """g [B, E], V [B, N, E], t [C, E] -> mask logits [B, C, grid, grid]."""
    text = torch.cat([t * g[:, None], t.expand(len(g), -1, -1)], -1)
    text = linear(text, p, "adapter")
    for i in range(LAYERS):
        name = f"decoder.layers.{i}."
        q, k, values = (linear(v, p, f"{name}self.{part}") for part in "qkv")
        y = linear(route_attention(q, k, values, grid, s, top, HEADS), p, name + "self.o")
        v = norm(v + F.dropout(y, dropout), p, name + "norm1")
        q, k = linear(v, p, name + "cross.q"), linear(text, p, name + "cross.k")
        scores = heads(q) @ heads(k).transpose(-1, -2) * (q.shape[-1] // HEADS) ** -0.5
        if i == LAYERS - 1:
            return scores.mean(1).transpose(1, 2).unflatten(-1, (grid, grid))
        weights = F.dropout(scores.softmax(-1), dropout)
        y = linear((weights @ heads(linear(text, p, name + "cross.v"))).transpose(1, 2).flatten(2), p, name + "cross.o")
        v = norm(v + F.dropout(y, dropout), p, name + "norm2")
        y = linear(F.dropout(F.relu(linear(v, p, name + "ffn.fc1")), dropout), p, name + "ffn.fc2")
        v = norm(v + F.dropout(y, dropout), p, name + "norm3")


def mask_loss(logits, labels, alpha=0.25):
    """logits [B, C, h, w], labels [B, H, W] (255: no class) -> total, focal, dice."""
    z = F.interpolate(logits, size=labels.shape[1:], mode="bilinear", align_corners=False)
    y = (labels[:, None] == torch.arange(z.shape[1])[None, :, None, None]).float()
    p = z.sigmoid()
    present = y.flatten(2).amax(-1)
    n = present.sum().clamp(min=1)
    ce = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    truth = p * y + (1 - p) * (1 - y)
    focal = ((alpha * y + (1 - alpha) * (1 - y)) * (1 - truth) ** 2 * ce).flatten(2).mean(-1).sum() / n
    overlap = 2 * (p * y).flatten(2).sum(-1) + 1
    dice = (present * (1 - overlap / (p.flatten(2).sum(-1) + y.flatten(2).sum(-1) + 1))).sum() / n
    return torch.stack([100 * focal + dice, focal, dice])
