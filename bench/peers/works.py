"""The works of `bench peers` in PyTorch: for each kind, check() gives what must agree, run() is what is timed."""
from pathlib import Path

import torch

import ldvc
import tensors
from clip import Text, Vision, attention


class Work:
    def __init__(self, folder, sizes):
        self.folder, self.sizes = Path(folder), sizes
        self.inputs = tensors.read(self.folder / "inputs.safetensors")
        self.scaler = None

    def compile(self):
        raise NotImplementedError(f"{type(self).__name__} has no compiled form")

    def weights(self):
        return tensors.read(self.folder / "clip.safetensors")

    def parameters(self):
        return {name: x.requires_grad_() for name, x in tensors.read(self.folder / "model.safetensors").items()}


class Gemm(Work):
    def run(self):
        with torch.no_grad():
            return torch.nn.functional.linear(self.inputs["x"], self.inputs["w"])

    def check(self):
        return {"y": self.run()}


class Attention(Work):
    def __init__(self, folder, sizes):
        super().__init__(folder, sizes)
        h, d = sizes["heads"], sizes["dim"]
        self.split = [x.contiguous() for x in self.inputs.pop("qkv").unflatten(-1, (3, h, d)).permute(2, 0, 3, 1, 4)]
        self.dy = self.inputs.pop("dy")

    def run(self):
        train = self.sizes["backward"] == 1
        with torch.set_grad_enabled(train):
            q, k, v = (x.detach().requires_grad_(train) for x in self.split)
            y = attention(q, k, v)
        if not train:
            return [y]
        return [y, *torch.autograd.grad(y, (q, k, v), self.dy.to(y.dtype))]

    def check(self):
        y, *gradients = self.run()
        if not gradients:
            return {"y": y}
        return {"y": y, "grad.qkv": torch.cat([g.transpose(1, 2).flatten(2) for g in gradients], -1)}


class Encoder(Work):
    def __init__(self, folder, sizes):
        super().__init__(folder, sizes)
        self.tower = Vision(self.weights(), sizes["size"])

    def compile(self):
        self.tower.encode = torch.compile(self.tower.encode)

    def run(self):
        with torch.no_grad():
            return self.tower.encode(self.inputs["image"])

    def check(self):
        return {"feature": self.run()}


class Prompts(Work):
    def __init__(self, folder, sizes):
        super().__init__(folder, sizes)
        self.tower, self.p = Vision(self.weights(), sizes["size"]), self.parameters()

    def compile(self):
        self.tower.encode_prompted = torch.compile(self.tower.encode_prompted)

    def run(self):
        g, v = self.tower.encode_prompted(self.inputs["image"], self.p, 0)
        torch.autograd.backward([g, v], [self.inputs["dg"].to(g.dtype), self.inputs["dv"].to(v.dtype)])
        gradients = {"grad." + name: p.grad for name, p in self.p.items()}
        for p in self.p.values():
            p.grad = None
        return {"g": g, "v": v, **gradients}

    def check(self):
        return self.run()


class TextTower(Work):
    def __init__(self, folder, sizes):
        super().__init__(folder, sizes)
        self.tower = Text(self.weights(), self.inputs["ids"].long())

    def run(self):
        with torch.no_grad():
            return self.tower.encode()

    def check(self):
        return {"features": self.run()}


class Route(Work):
    def run(self):
        s = self.sizes
        q, k, v = (self.inputs[n].detach().requires_grad_() for n in "qkv")
        y = ldvc.route_attention(q, k, v, s["grid"], s["s"], s["k"], s["heads"])
        dq, dk, dv = torch.autograd.grad(y, (q, k, v), self.inputs["dy"].to(y.dtype))
        return {"y": y, "grad.q": dq, "grad.k": dk, "grad.v": dv}

    def check(self):
        return self.run()


class Mask(Work):
    def run(self):
        z = self.inputs["z"].detach().requires_grad_()
        loss = ldvc.mask_loss(z, self.inputs["labels"])
        return {"loss": loss, "grad.z": torch.autograd.grad(loss[0], z)[0]}

    def check(self):
        return self.run()


class Step(Work):
    """One training step: both prompted towers, decoder, loss, backward, AdamW."""

    def __init__(self, folder, sizes):
        super().__init__(folder, sizes)
        weights = self.weights()
        self.image, self.p = Vision(weights, sizes["size"]), self.parameters()
        self.texts = Text(weights, self.inputs["ids"][:, : sizes["length"]].long())
        self.optimizer = torch.optim.AdamW(self.p.values(), lr=1e-5, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)

    def compile(self):
        self.forward = torch.compile(self.forward)

    def forward(self, dropout):
        t = torch.nn.functional.normalize(self.texts.encode(self.p["text.prompt"]), dim=-1)
        g, v = self.image.encode_prompted(self.inputs["image"], self.p, dropout)
        logits = ldvc.decode(g, v, t, self.p, self.image.grid, dropout)
        return logits, ldvc.mask_loss(logits, self.inputs["labels"])

    def run(self):
        self.optimizer.zero_grad(set_to_none=True)
        _, loss = self.forward(0.1)
        if self.scaler is None:
            loss[0].backward()
            self.optimizer.step()
        else:
            self.scaler.scale(loss[0]).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()

    def backward(self):
        """Outputs and gradients without dropout; a scale that turns out too large is halved and tried again."""
        while True:
            self.optimizer.zero_grad(set_to_none=True)
            logits, loss = self.forward(0)
            if self.scaler is None:
                loss[0].backward()
                return logits, loss
            before = self.scaler.get_scale()
            self.scaler.scale(loss[0]).backward()
            self.scaler.unscale_(self.optimizer)
            self.scaler.update()
            if self.scaler.get_scale() >= before:
                return logits, loss

    def check(self):
        logits, loss = self.backward()
        return {"logits": logits, "loss": loss, **{"grad." + n: p.grad for n, p in self.p.items() if p.grad is not None}}


KINDS = {"gemm": Gemm, "attention": Attention, "encoder": Encoder, "prompts": Prompts, "text": TextTower, "route": Route, "mask": Mask, "step": Step}
