"use strict";
// A key presses the button that names it.

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const buttons = [...document.querySelectorAll("button[data-key]")];
  buttons.find((button) => button.dataset.key === event.key)?.click();
});
