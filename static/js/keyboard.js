// Single-key shortcuts: off in fields and dialogs, and for good where the reader switched them off.

const OFF = "podium.keys.off";
const PLACES = { m: "/models", e: "/experiments", r: "/reviews", n: "/notifications" };
const CHORD_MILLISECONDS = 1000;

export function startKeyboard() {
  const box = document.querySelector("[data-keys-switch]");
  if (box) {
    box.checked = localStorage.getItem(OFF) === null;
    box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
  }
  let chordStarted = -Infinity;
  document.addEventListener("keydown", (event) => {
    if (isElsewhere(event) || localStorage.getItem(OFF)) return;
    const inChord = event.timeStamp - chordStarted < CHORD_MILLISECONDS;
    chordStarted = event.key === "g" ? event.timeStamp : -Infinity;
    const act = inChord && PLACES[event.key] ? () => location.assign(PLACES[event.key]) : ACTS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

const ACTS = {
  "/": () => document.dispatchEvent(new CustomEvent("podium:search")),
  "?": () => document.getElementById("keys")?.showModal(),
  j: () => step(1),
  k: () => step(-1),
  d: finish,
  x: () => currentRow()?.querySelector('input[type="checkbox"]')?.click(),
};

function isElsewhere(event) {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  return Boolean(target.isContentEditable || target.closest("dialog, textarea, select, input:not([type=checkbox], [type=radio])"));
}

function rows() {
  return [...document.querySelectorAll("[data-rows] > tbody > tr, [data-rows] > li")];
}

function currentRow() {
  return document.activeElement.closest("[data-rows] > tbody > tr, [data-rows] > li");
}

// What is done leaves the list; the reader stays where they were in it

function finish() {
  const button = currentRow()?.querySelector("[data-done]");
  if (!button) return;
  const here = rows().indexOf(currentRow());
  const stay = () => rows()[Math.min(here, rows().length - 1)]?.querySelector("a")?.focus();
  document.addEventListener("htmx:afterSettle", stay, { once: true });
  button.click();
}

function step(by) {
  const all = rows();
  const here = all.indexOf(currentRow());
  const next = all[here === -1 ? (by > 0 ? 0 : all.length - 1) : here + by];
  next?.querySelector("a")?.focus();
}
