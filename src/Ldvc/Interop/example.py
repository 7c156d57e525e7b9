"""Labels a picture with an exported model: python3 example.py picture.jpg (packages numpy, onnxruntime, Pillow)."""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

here = Path(__file__).parent
with open(here / "classes.safetensors", "rb") as file:
    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    data = file.read()
notes = header["__metadata__"]
read = lambda name, dtype: np.frombuffer(data[slice(*header[name]["data_offsets"])], dtype).reshape(header[name]["shape"])

session = onnxruntime.InferenceSession(str(here / "MODEL.onnx"))
height, width = session.get_inputs()[0].shape[2:]
picture = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
pixels = np.asarray(picture.resize((width, height), Image.BILINEAR), np.float32) / 255
image = ((pixels - json.loads(notes["image_mean"])) / json.loads(notes["image_std"])).astype(np.float32)
logits = session.run(["logits"], {"image": image.transpose(2, 0, 1)[None], "classes": read("classes", np.float32)})[0]

# A row is a name or synonym, "owner" is its class; seen classes have a penalty, as in `ldvc segment`.
scores = 1 / (1 + np.exp(-logits[0])) - read("penalty", np.float32)[:, None, None]
labels = read("owner", np.int32)[scores.argmax(0)].astype(np.uint16 if len(json.loads(notes["names"])) > 255 else np.uint8)
Image.fromarray(labels).resize(picture.size, Image.NEAREST).save("labels.png")
for label, name in enumerate(json.loads(notes["names"])):
    print(f"{label:4d} {100 * (labels == label).mean():5.1f} %  {name}")
