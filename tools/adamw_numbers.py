"""Prints the numbers of tests/Autograd/AdamWTests: torch.optim.AdamW over three steps, in float64.

usage: python3 tools/adamw_numbers.py
"""
import torch

weight = torch.tensor([0.5, -1.25, 2.0], dtype=torch.float64, requires_grad=True)
bias = torch.tensor([0.75], dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.AdamW(
    [{"params": [weight], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}], betas=(0.9, 0.99), eps=1e-3)
gradients = [([0.3, -0.2, 0.01], [1.5]), ([-0.1, 0.4, 0.02], [-0.5]), ([0.05, 0.25, -0.3], None)]
for rate, (for_weight, for_bias) in zip([0.01, 0.02, 0.005], gradients):
    for group in optimizer.param_groups:
        group["lr"] = rate
    weight.grad = torch.tensor(for_weight, dtype=torch.float64)
    bias.grad = None if for_bias is None else torch.tensor(for_bias, dtype=torch.float64)
    optimizer.step()
    print(", ".join(f"{v:.12f}" for v in [*weight.tolist(), *bias.tolist()]))
