"""Safetensors files of float32 and int32, as `bench peers` exchanges them."""
import json
import struct

import torch

TYPES = {"F32": torch.float32, "I32": torch.int32}


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        start, tensors = file.tell(), {}
        for name, entry in header.items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                file.seek(start + begin)
                tensors[name] = torch.frombuffer(bytearray(file.read(end - begin)), dtype=TYPES[entry["dtype"]]).reshape(entry["shape"])
    # An empty tensor lies on the default device.
    return {name: tensor.to(torch.empty(0).device) for name, tensor in tensors.items()}


def write(path, tensors):
    header, offset = {}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.detach().float().contiguous().cpu().numpy().tobytes())
