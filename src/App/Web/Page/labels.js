// Label maps as the server sends them: PNG files in base64.

export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), c => c.charCodeAt(0));
}

// Class indices of a label PNG. Read from its data: a canvas may change colours on the way. It has 8 or 16 bits a pixel, high byte first, and no row filters.
export async function indicesOf(bytes, width, height) {
  const view = new DataView(bytes.buffer), parts = [];
  for (let at = 8; at < bytes.length; at += 12 + view.getUint32(at)) {
    if (String.fromCharCode(...bytes.subarray(at + 4, at + 8)) === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  const rows = new Uint8Array(await new Response(new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
  const each = bytes[24] / 8, stride = each * width + 1, indices = new Uint16Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = y * stride + 1; x < width; x++, at += each) indices[y * width + x] = each === 2 ? rows[at] << 8 | rows[at + 1] : rows[at];
  }
  return indices;
}

// "#rrggbb" as a pixel of a canvas, whose bytes are red, green, blue from the lowest up.
export function pixelOf(hex) {
  const n = parseInt(hex.slice(1), 16);
  return ((n & 255) << 16) | (n & 0xff00) | (n >> 16);
}

// What a file may be called when it is saved: no folders, control characters or characters that turn the reading direction around.
export function stemOf(name) {
  const stem = name.replace(/\.[^.]*$/, "").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\/\\:*?"<>|]/gu, "_");
  return stem || "picture";
}
