// Native dialogs. A link that htmx loads into #dialog-content opens #dialog; without scripts it is an ordinary page.
// The browser keeps the focus inside, closes on Escape and gives the focus back to what opened it.

export function startDialogs() {
  const dialog = document.getElementById("dialog");
  const content = document.getElementById("dialog-content");

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener) document.getElementById(opener.dataset.dialogOpen).showModal();
    if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
    if (event.target.matches("dialog[open]") && isOutside(event)) event.target.close();
  });
  document.addEventListener("dialog-close", () => document.querySelector("dialog[open]")?.close());
  if (!dialog) return;
  content.addEventListener("htmx:afterSwap", () => {
    if (!dialog.open && content.childElementCount) dialog.showModal();
    content.querySelector("[data-focus], [autofocus], .dialog-body :is(input:not([type=hidden]), select, textarea)")?.focus();
  });
  dialog.addEventListener("close", () => content.replaceChildren());
}

function isOutside(event) {
  const box = event.target.getBoundingClientRect();
  const pressed = event.clientX !== 0 || event.clientY !== 0;
  return pressed && (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom);
}
