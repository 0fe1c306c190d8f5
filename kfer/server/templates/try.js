"use strict";
// A picture to POST /faces, and what comes back drawn: boxes, classes, the plane.

const element = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const MARK = "#0b5cad";
let asked = 0;

function made(parent, tag, text, fields = {}) {
  const found = document.createElement(tag);
  found.textContent = text;
  Object.assign(found, fields);
  parent.append(found);
  return found;
}

function svg(parent, tag, fields, text = "") {
  const found = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(fields)) found.setAttribute(name, value);
  found.textContent = text;
  parent.append(found);
}

function say(text, isError = false) {
  element("note").textContent = text;
  element("note").className = isError ? "error" : "";
}

function clear() {
  element("faces").replaceChildren();
  if (element("plane")) {
    element("plane").hidden = true;
    element("points").replaceChildren();
  }
}

async function draw(file, rows, width) {
  const canvas = element("picture");
  const context = canvas.getContext("2d");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    // The server reads kinds of pictures that a browser may not.
    canvas.width = canvas.height = 0;
    return;
  }
  const factor = Math.min(1, 800 / bitmap.width);
  canvas.width = Math.round(bitmap.width * factor);
  canvas.height = Math.round(bitmap.height * factor);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const scale = canvas.width / width;
  for (const row of rows.filter((one) => one.box)) {
    box(context, row.box.map((value) => value * scale), String(row.face + 1));
  }
}

function box(context, [x, y, across, down], number) {
  context.lineWidth = 5;
  context.strokeStyle = "#fff";
  context.strokeRect(x, y, across, down);
  context.lineWidth = 3;
  context.strokeStyle = context.fillStyle = MARK;
  context.strokeRect(x, y, across, down);
  context.font = "bold 16px sans-serif";
  context.fillRect(x, y, context.measureText(number).width + 12, 24);
  context.fillStyle = "#fff";
  context.fillText(number, x + 6, y + 18);
}

function describe(row) {
  const part = made(element("faces"), "section", "", { className: "card" });
  const head = made(part, "h2", "");
  if (row.face === undefined) head.textContent = "The picture";
  else {
    made(head, "span", row.face + 1, { className: "badge" });
    head.append(`Face ${row.face + 1}`);
  }
  if (row.error) made(part, "p", row.error, { className: "error" });
  for (const [target, answer] of Object.entries(row)) {
    if (answer.probabilities) classes(part, target, answer);
    else if (answer.valence !== undefined) place(part, row, answer);
    else if (typeof answer === "object" && !Array.isArray(answer)) {
      made(part, "p", `${target}: ${JSON.stringify(answer)}`);
    }
  }
}

function classes(part, target, answer) {
  const percent = (value) => `${(100 * value).toFixed(0)} %`;
  const line = made(part, "p", `${target}: `, { className: "answer" });
  made(line, "b", answer.class);
  line.append(`, ${percent(answer.confidence)}`);
  const table = made(part, "table", "");
  const sorted = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
  for (const [name, chance] of sorted) {
    const row = made(table, "tr", "");
    made(row, "td", name);
    made(made(row, "td", ""), "span", "", { className: "bar" }).style.width = `${100 * chance}%`;
    made(row, "td", percent(chance));
  }
}

function place(part, row, answer) {
  const { valence, arousal } = answer;
  made(part, "p", `valence ${valence.toFixed(2)}, arousal ${arousal.toFixed(2)}`);
  if (!element("plane")) return;
  element("plane").hidden = false;
  const number = row.face === undefined ? "" : String(row.face + 1);
  svg(element("points"), "circle", { cx: valence, cy: -arousal, r: 0.06, class: "point" });
  svg(element("points"), "text", { x: valence, y: 0.032 - arousal, class: "number" }, number);
}

async function answered(file) {
  let response;
  try {
    response = await fetch("/faces", { method: "POST", body: file });
  } catch {
    throw new Error("The server can't be reached, or the picture is too large for it");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The server answered ${response.status}`);
  return answer;
}

// Whether the picture was answered for. Of two that are asked at once the later is shown.
async function ask(file) {
  const mine = ++asked;
  try {
    const answer = await answered(file);
    if (mine !== asked) return false;
    const rows = answer.faces ?? [answer.picture];
    await draw(file, rows, answer.width);
    clear();
    rows.forEach(describe);
    element("shown").hidden = false;
    element("version").textContent = answer.model.version;
    const unseen = element("picture").width ? "" : "This browser can't show the picture. ";
    say(unseen + (answer.note ?? ""));
    return true;
  } catch (error) {
    if (mine !== asked) return false;
    element("shown").hidden = true;
    clear();
    say(error.message, true);
    return false;
  }
}

function choose(files) {
  camera.stop();
  if (!files.length) return;
  say("Asking …");
  ask(files[0]);
}

const REASONS = {
  NotFoundError: "There is no camera here; choose a picture instead",
  NotAllowedError: "The browser keeps the camera from this page; allow it, or choose a picture",
  NotReadableError: "The camera is there but gives no picture; another program may have it",
};

// What the camera sees, asked about again and again until it is stopped.
const camera = {
  stream: null,

  async start() {
    element("camera").disabled = true;
    await this.open();
    element("camera").disabled = false;
    if (this.stream) await this.look();
  },

  async open() {
    if (!navigator.mediaDevices) {
      say("Browsers give a camera to https pages and to localhost alone; choose a picture", true);
      return;
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: true });
    } catch (error) {
      say(REASONS[error.name] ?? `No camera: ${error.message || error.name}`, true);
      return;
    }
    this.stream.getTracks()[0].addEventListener("ended", () => {
      this.stop();
      say("The camera has gone", true);
    });
  },

  async look() {
    element("camera").textContent = "Stop the camera";
    say("Asking …");
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = this.stream;
    await video.play();
    while (this.stream === video.srcObject && (await ask(await still(video))));
    if (this.stream === video.srcObject) this.stop();
  },

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    element("camera").textContent = "Use the camera";
  },
};

function still(video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
}

element("camera").addEventListener("click", () => {
  if (camera.stream) camera.stop();
  else camera.start();
});
element("file").addEventListener("change", (event) => {
  choose([...event.target.files]);
  // Else the same file, changed meanwhile, could not be chosen again.
  event.target.value = "";
});
const drop = element("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") choose([...event.dataTransfer.files]);
  });
}
