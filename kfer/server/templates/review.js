"use strict";
// A key presses the button that names it, once: what is pressed before the next picture
// is there would decide about this one again.

let pressed = false;
const form = document.getElementById("review");

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const buttons = [...document.querySelectorAll("button[data-key]")];
  buttons.find((button) => button.dataset.key === event.key.toLowerCase())?.click();
});
form.addEventListener("submit", (event) => {
  if (pressed) event.preventDefault();
  pressed = true;
});
// Going back shows a page as it was left; what it asks may be decided by now.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
