// The search over everything as a dialog. Without scripts the form in the top bar leads to the page of the same search.

export function startSearch() {
  const dialog = document.getElementById("search");
  if (!dialog) return;
  const input = dialog.querySelector("input");

  function open() {
    if (document.querySelector("dialog[open]")) return;
    dialog.showModal();
    input.select();
  }

  document.addEventListener("podium:search", open);
  // Control or Command with K works in fields too, where a single key would be typed
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    open();
  });
  document.addEventListener("click", (event) => {
    const field = event.target.closest?.("input[data-search]");
    if (!field) return;
    input.value ||= field.value;
    open();
  });
  // The arrows walk from the field through the links and back; what is typed on a link goes on in the field
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const stops = [input, ...dialog.querySelectorAll("[data-hits] a")];
      const next = stops[stops.indexOf(document.activeElement) + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
    } else if (event.target !== input && (event.key.length === 1 || event.key === "Backspace") && !event.ctrlKey && !event.metaKey && !event.altKey) {
      input.focus();
    }
  });
}
