"use strict";
// A picture to POST /faces, and what comes back drawn: boxes, classes, the plane.

const element = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

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
  canvas.width = bitmap.width * factor;
  canvas.height = bitmap.height * factor;
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const scale = canvas.width / width;
  context.lineWidth = 3;
  context.strokeStyle = context.fillStyle = "#06c";
  context.font = "bold 16px sans-serif";
  for (const row of rows.filter((one) => one.box)) {
    const [x, y, across, down] = row.box.map((value) => value * scale);
    context.strokeRect(x, y, across, down);
    context.fillText(String(row.face + 1), x + 4, y + 18);
  }
}

function describe(row) {
  const name = row.face === undefined ? "The picture" : `Face ${row.face + 1}`;
  const part = made(element("faces"), "section", "");
  made(part, "h2", name);
  if (row.error) made(part, "p", row.error);
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
  made(part, "p", `${target}: ${answer.class}, ${percent(answer.confidence)}`);
  const table = made(part, "table", "");
  const sorted = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
  for (const [name, chance] of sorted) {
    const row = made(table, "tr", "");
    made(row, "td", name);
    made(made(row, "td", ""), "meter", "", { value: chance });
    made(row, "td", percent(chance));
  }
}

function place(part, row, answer) {
  const { valence, arousal } = answer;
  made(part, "p", `valence ${valence.toFixed(2)}, arousal ${arousal.toFixed(2)}`);
  if (!element("plane")) return;
  element("plane").hidden = false;
  svg(element("points"), "circle", { cx: valence, cy: -arousal, r: 0.03, class: "point" });
  const at = { x: valence + 0.04, y: -arousal, class: "number" };
  svg(element("points"), "text", at, row.face === undefined ? "" : String(row.face + 1));
}

async function ask(file) {
  element("note").textContent = "Asking …";
  element("faces").replaceChildren();
  if (element("plane")) {
    element("plane").hidden = true;
    element("points").replaceChildren();
  }
  try {
    const response = await fetch("/faces", { method: "POST", body: file });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    const rows = answer.faces ?? [answer.picture];
    await draw(file, rows, answer.width);
    rows.forEach(describe);
    element("version").textContent = answer.model.version;
    element("note").textContent = answer.note ?? "";
  } catch (error) {
    element("picture").width = element("picture").height = 0;
    element("note").textContent = error.message;
  }
}

element("file").addEventListener("change", (event) => {
  if (event.target.files.length) ask(event.target.files[0]);
});
const drop = element("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) {
      ask(event.dataTransfer.files[0]);
    }
  });
}
