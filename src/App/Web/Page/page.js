import { bytesOf, indicesOf, pixelOf, stemOf } from "./labels.js";
import { fetchJson, TokenNeeded, useToken } from "./server.js";

const at = id => document.getElementById(id);
const canvas = at("picture"), masks = at("masks"), names = at("names"), run = at("run"), stage = at("stage");
const maxBytes = 60 * 1048576, steps = 40;
let file = null, answer = null, labels = null, none = 255, scenes = 0, scene = 0, trained = true;
let lit = -1, pinned = -1, mark = null, work = null, links = [];

function say(text) { at("status").textContent = text; at("error").textContent = ""; }
function fail(text) { at("status").textContent = ""; at("error").textContent = text; }

function failWith(error) {
  if (error.name === "AbortError") { say("stopped"); return; }
  if (error instanceof TokenNeeded) { askForToken(error.message); return; }
  fail(error.message);
}

// The model

async function start() {
  const model = await fetchJson("api/model");
  at("about").textContent = model.checkpoint === null ? "a CLIP alone, without training"
    : `${model.checkpoint}, step ${model.step}, ${model.setting} training; ${model.classes.filter(c => c.seen).length} of its ${model.classes.length} names had masks in training`;
  trained = model.checkpoint !== null;
  names.value = model.classes.map(c => c.name).join("\n");
  at("background").value = model.background;
  showBackground();
  scenes = model.scenes;
  at("scene").hidden = scenes === 0;
  if (scenes > 0) await drawScene();
}

function askForToken(text) {
  at("tokenForm").hidden = false;
  at("about").textContent = "";
  fail(text);
  at("token").focus();
}

at("tokenForm").onsubmit = event => {
  event.preventDefault();
  useToken(at("token").value);
  at("tokenForm").hidden = true;
  say("");
  start().catch(failWith);
};

// Pictures

// Counts what was asked to be shown: an answer that comes after something newer was asked for is dropped.
let shown = 0;

async function drawScene() {
  const mine = ++shown;
  const drawn = await fetchJson(`api/scene?index=${scene}`);
  if (mine !== shown) return;
  scene = (scene + 1) % scenes;
  await show(new File([bytesOf(drawn.image)], `scene-${drawn.index}.png`, { type: "image/png" }));
}

async function show(chosen) {
  if (chosen.size > maxBytes) { fail(`${chosen.name}: expected at most ${maxBytes / 1048576} MiB`); return; }
  const mine = ++shown;
  let bitmap;
  try {
    bitmap = await createImageBitmap(chosen, { imageOrientation: "from-image" });
  } catch {
    fail(`${chosen.name}: not a picture that this browser can show`);
    return;
  }
  if (mine !== shown) return;
  file = chosen;
  forget();
  canvas.width = masks.width = bitmap.width;
  canvas.height = masks.height = bitmap.height;
  const small = bitmap.width < 400 && bitmap.height < 400;
  canvas.style.width = small ? `min(${3 * bitmap.width}px, ${76 * bitmap.width / bitmap.height}vh)` : "";
  canvas.className = masks.className = small ? "small" : "";
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  at("empty").hidden = true;
  at("view").hidden = false;
  run.disabled = false;
  await segment();
}

function forget() {
  answer = labels = null;
  lit = pinned = -1;
  putMark(null);
  at("legend").replaceChildren();
  at("files").hidden = true;
  links.forEach(URL.revokeObjectURL);
  links = [];
  paint();
}

// Labels. A newer request ends the one before: the server stops working on it.

async function segment() {
  if (!file) return;
  work?.abort();
  const mine = work = new AbortController(), asked = file;
  busy(true);
  say("segmenting ...");
  try {
    const form = new FormData();
    form.append("image", file);
    form.append("classes", names.value);
    form.append("background", at("background").value);
    const wait = seconds => { if (mine === work) say(`The server is busy; trying again in ${seconds} s.`); };
    const got = await fetchJson("api/segment", { method: "POST", body: form, signal: mine.signal }, wait);
    const bytes = bytesOf(got.labels), indices = await indicesOf(bytes, got.width, got.height);
    if (mine === work && asked === file) accept(got, bytes, indices);
  } catch (error) {
    if (mine === work) failWith(error);
  } finally {
    if (mine === work) { work = null; busy(false); }
  }
}

function busy(working) {
  run.disabled = working || !file;
  at("stop").hidden = !working;
  stage.setAttribute("aria-busy", String(working));
}

function accept(got, bytes, indices) {
  forget();
  labels = indices;
  masks.width = got.width;
  masks.height = got.height;
  answer = got;
  none = got.unlabelled;
  const found = got.classes.filter(c => c.pixels > 0).sort((a, b) => b.pixels - a.pixels);
  if (got.background > 0) found.push({ index: none, name: "no class", seen: true, share: got.background, color: "transparent" });
  at("legend").replaceChildren(...found.map(entry));
  const stem = stemOf(file.name);
  offer("saveLabels", bytes, `${stem}.png`);
  offer("saveOverlay", bytesOf(got.overlay), `${stem}.overlay.png`);
  at("files").hidden = false;
  say(`${got.width} x ${got.height}, ${got.classes.length} names, ${got.seconds.toFixed(2)} s`);
  paint();
}

function offer(id, bytes, name) {
  links.push(at(id).href = URL.createObjectURL(new Blob([bytes], { type: "image/png" })));
  at(id).download = name;
}

// The list of what is in the picture: pointing at a class shows where it is, pressing it keeps it so.

function entry(c) {
  const item = document.createElement("li"), button = document.createElement("button"), swatch = document.createElement("i");
  const name = document.createElement("span"), text = document.createElement("bdi"), share = document.createElement("span");
  swatch.style.background = c.color;
  text.textContent = c.name;
  name.className = "name";
  name.append(text);
  if (trained && !c.seen) {
    const tag = document.createElement("span");
    tag.className = "unseen";
    tag.textContent = " unseen";
    tag.title = "no masks of it in training";
    name.append(tag);
  }
  share.className = "share";
  share.textContent = c.share > 0 && c.share < 0.0005 ? "<0.1 %" : `${(100 * c.share).toFixed(1)} %`;
  button.type = "button";
  button.dataset.index = c.index;
  button.setAttribute("aria-pressed", "false");
  button.append(swatch, name, share);
  button.onmouseenter = button.onfocus = () => light(c.index);
  button.onmouseleave = button.onblur = () => light(-1);
  button.onclick = () => pin(pinned === c.index ? -1 : c.index);
  item.append(button);
  return item;
}

function pin(index) {
  pinned = index;
  for (const button of at("legend").querySelectorAll("button")) button.setAttribute("aria-pressed", String(+button.dataset.index === index));
  light(-1);
}

function light(index) {
  const wanted = index >= 0 ? index : pinned;
  if (lit === wanted) return;
  lit = wanted;
  for (const button of at("legend").querySelectorAll("button")) button.classList.toggle("on", lit >= 0 && +button.dataset.index === lit);
  paint();
}

function paint() {
  const context = masks.getContext("2d");
  context.clearRect(0, 0, masks.width, masks.height);
  if (!labels) return;
  const out = context.createImageData(masks.width, masks.height), pixels = new Uint32Array(out.data.buffer);
  const strength = +at("opacity").value, alpha = Math.round(255 * strength), faint = Math.round(60 * strength);
  const colors = answer.classes.map(c => pixelOf(c.color));
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== none) pixels[i] = (((lit < 0 || labels[i] === lit ? alpha : faint) << 24) | colors[labels[i]]) >>> 0;
  }
  context.putImageData(out, 0, 0);
}

// The name of the class below the pointer, or below the mark that arrow keys move.

function labelAt(x, y) { return labels[y * masks.width + x] ?? none; }
function nameOf(label) { return label === none ? "no class" : answer.classes[label].name; }

function showTip(label, left, top) {
  const tip = at("tip"), wide = at("view").clientWidth;
  at("tipName").textContent = nameOf(label);
  tip.hidden = false;
  tip.style.left = `${Math.max(0, Math.min(left + 12, wide - tip.offsetWidth))}px`;
  tip.style.top = `${top + 12}px`;
}

function putMark(to) {
  mark = to;
  at("mark").hidden = at("tip").hidden = !to;
  if (!to) return;
  const left = (to.x + 0.5) / masks.width * masks.clientWidth, top = (to.y + 0.5) / masks.height * masks.clientHeight, label = labelAt(to.x, to.y);
  at("mark").style.left = `${left}px`;
  at("mark").style.top = `${top}px`;
  showTip(label, left, top);
  light(label);
  at("read").textContent = nameOf(label);
}

masks.onmousemove = event => {
  if (!labels) return;
  const box = masks.getBoundingClientRect(), left = event.clientX - box.left, top = event.clientY - box.top;
  const label = labelAt(Math.floor(left / box.width * masks.width), Math.floor(top / box.height * masks.height));
  at("mark").hidden = true;
  mark = null;
  showTip(label, left, top);
  light(label);
};
masks.onmouseleave = masks.onblur = () => { putMark(null); light(-1); };
masks.onkeydown = event => {
  if (event.key === "Escape") { putMark(null); light(-1); return; }
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!move || !labels) return;
  event.preventDefault();
  const from = mark ?? { x: masks.width >> 1, y: masks.height >> 1 };
  const step = event.shiftKey ? 1 : Math.max(1, Math.round(Math.max(masks.width, masks.height) / steps));
  const within = (value, size) => Math.max(0, Math.min(size - 1, value));
  putMark(mark ? { x: within(from.x + step * move[0], masks.width), y: within(from.y + step * move[1], masks.height) } : from);
};

// Controls

at("choose").onclick = () => at("file").click();
at("file").onchange = event => {
  if (event.target.files[0]) show(event.target.files[0]);
  event.target.value = "";
};
at("scene").onclick = () => drawScene().catch(failWith);
run.onclick = segment;
at("stop").onclick = () => { run.focus(); work?.abort(); };
at("opacity").oninput = paint;
function showBackground() { at("backgroundText").textContent = +at("background").value > 0 ? (+at("background").value).toFixed(2) : "0 (off)"; }
at("background").oninput = showBackground;
at("background").onchange = segment;
names.onkeydown = event => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) segment(); };

const pictureOf = data => [...data.files].find(f => f.type.startsWith("image/"));
stage.ondragover = event => { event.preventDefault(); stage.classList.add("over"); };
stage.ondragleave = () => stage.classList.remove("over");
stage.ondrop = event => {
  event.preventDefault();
  stage.classList.remove("over");
  const dropped = pictureOf(event.dataTransfer);
  if (dropped) show(dropped); else fail("expected a picture");
};

// A picture that misses the panel must not replace the page.
document.ondragover = event => event.preventDefault();
document.ondrop = event => event.preventDefault();
document.onpaste = event => {
  const pasted = pictureOf(event.clipboardData);
  if (pasted) { event.preventDefault(); show(pasted); }
};
start().catch(failWith);
