// Everything here improves pages that already work without it.

import { startDialogs } from "./dialogs.js";
import { readOut } from "./drawing.js";
import { startKeyboard } from "./keyboard.js";
import { pagePathOfFragment } from "./mlflow-links.js";
import { plot, plotAll } from "./plot.js";
import { filterRows, growRows } from "./rows.js";
import { startSearch } from "./search.js";
import { tree } from "./tree.js";

const live = document.getElementById("live");
const sprite = document.querySelector(".icon use")?.getAttribute("href").split("#")[0] ?? "";

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

// MLflow's own pages live behind "#/": a copied link of that kind finds the same thing here, also across the sign-in.
function followFragment() {
  const path = pagePathOfFragment(location.hash);
  if (!path) return;
  const next = document.querySelector('main input[name="next"]');
  if (next) next.value = path;
  else location.replace(path);
}

// Toasts

const TOAST_ICONS = { success: "check-circle", error: "warning", warning: "warning", info: "info" };
const TOAST_MILLISECONDS = 6000;

export function toast(text, kind = "info") {
  const box = document.createElement("div");
  box.className = `toast toast-${kind}`;
  if (kind === "error") box.setAttribute("role", "alert");
  const words = document.createElement("span");
  words.className = "toast-text";
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-icon";
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", "Dismiss");
  close.append(icon("cross"));
  box.append(icon(TOAST_ICONS[kind] ?? "info"), words, close);
  document.getElementById("toasts").append(box);
  if (kind !== "error") fade(box);
}

function fade(box) {
  setTimeout(() => (box.matches(":hover, :focus-within") ? fade(box) : box.remove()), TOAST_MILLISECONDS);
}

function sentenceOf(xhr) {
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const parts = ["[data-error-title]", "[data-error-text]"].map((part) => page.querySelector(part)?.textContent.trim());
  return parts.filter(Boolean).join(": ") || `The server answered ${xhr.status}. Nothing was changed.`;
}

function startToasts() {
  document.querySelectorAll(".toast:not(.toast-error)").forEach(fade);
  document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".toast, .banner")?.remove());
  document.addEventListener("htmx:responseError", (event) => toast(sentenceOf(event.detail.xhr), "error"));
  document.addEventListener("htmx:sendError", () => toast("The server cannot be reached. What you wrote is still here.", "error"));
  document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.kind));
}

// Copying; plain HTTP has no clipboard API, so a hidden text field stands in

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser refused to copy");
}

async function copyFrom(button) {
  try {
    await copy(button.dataset.copy);
  } catch {
    toast("The browser refused to copy. Select the text and copy it by hand.", "warning");
    return;
  }
  button.focus();
  button.classList.add("is-copied");
  button.querySelector(".icon").replaceWith(icon("check"));
  live.textContent = "Copied";
  setTimeout(() => {
    button.classList.remove("is-copied");
    button.querySelector(".icon").replaceWith(icon("copy"));
    live.textContent = "";
  }, 2000);
}

// The theme switch acts at once; the form's answer sets the cookie

function startTheme() {
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-theme-switch]");
    if (!form || !event.submitter) return;
    event.preventDefault();
    const chosen = event.submitter.value;
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
    for (const button of document.querySelectorAll("[data-theme-switch] button"))
      button.setAttribute("aria-pressed", String(button.value === chosen));
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form, event.submitter), redirect: "manual" });
    if (answer.status >= 400) toast("The choice of colours could not be kept.", "warning");
  });
}

// Relative times grow old while a page is open; the steps are those of the server

function age(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60000);
  if (minutes < 1) return "just now";
  const amount =
    minutes < 60 ? `${minutes} min` : minutes < 1440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
  return milliseconds < 0 ? `in ${amount}` : `${amount} ago`;
}

function refreshMoments() {
  for (const element of document.querySelectorAll("time.moment")) {
    const milliseconds = Date.now() - Date.parse(element.dateTime);
    if (Math.abs(milliseconds) <= 30 * 86400000) element.textContent = age(milliseconds);
  }
}

// The bell counts anew while somebody looks at the page

const TICK_MILLISECONDS = 30000;

function startTicks() {
  const tick = () => document.visibilityState === "visible" && document.dispatchEvent(new CustomEvent("podium:tick"));
  setInterval(tick, TICK_MILLISECONDS);
  document.addEventListener("visibilitychange", tick);
}

// Menus close like menus

function startMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// Snippets of the same act in several languages become tabs

function tabSnippets(box) {
  const panels = [...box.querySelectorAll(":scope > .snippet")];
  const list = document.createElement("div");
  list.className = "tabs";
  list.setAttribute("role", "tablist");
  const tabs = panels.map((panel, place) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.textContent = panel.dataset.title;
    tab.setAttribute("role", "tab");
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-label", panel.dataset.title);
    tab.addEventListener("click", () => show(place));
    return tab;
  });
  const show = (chosen) =>
    panels.forEach((panel, place) => {
      panel.hidden = place !== chosen;
      tabs[place].setAttribute("aria-selected", String(place === chosen));
      tabs[place].tabIndex = place === chosen ? 0 : -1;
    });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const chosen = (tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    show(chosen);
    tabs[chosen].focus();
  });
  list.append(...tabs);
  box.prepend(list);
  box.classList.add("is-tabbed");
  show(0);
}

// Selecting rows: the form counts its checked boxes and enables what needs that many

function countSelected(form) {
  const count = form.querySelectorAll('input[type="checkbox"][data-select]:checked').length;
  for (const element of form.querySelectorAll("[data-selected-count]")) element.textContent = count;
  for (const button of form.querySelectorAll("[data-needs-selected]")) {
    const [least, most = Infinity] = button.dataset.needsSelected.split("-").map(Number);
    button.disabled = count < least || count > most;
  }
}

// How many there are is said to those who do not see it: in the open dialog, as the page behind it is silent

function saySwapped(event) {
  const said = event.target.querySelector?.("[data-said]")?.textContent.trim();
  const place = document.querySelector("dialog[open] [role=status]") ?? live;
  if (said) place.textContent = said;
}

// On paper there is no scrolling: what is drawn when it comes in sight is drawn before

function printAll() {
  plotAll().finally(() => window.print());
}

// What is new in the page, first all of it and then what htmx swapped in

function enhance(root) {
  const each = (selector, act) => root.querySelectorAll(`:is(${selector}):not([data-ready])`).forEach((element) => {
    element.dataset.ready = "";
    act(element);
  });
  each("[data-snippets]", tabSnippets);
  each("form[data-selects]", (form) => {
    form.addEventListener("change", () => countSelected(form));
    countSelected(form);
  });
  each("[data-combobox-url]", async (input) => (await import("./combobox.js")).combobox(input));
  each("[data-drawing]", readOut);
  each("[data-plot], [data-plot-url]", plot);
  each("[data-filter-rows]", filterRows);
  each("[data-grows]", growRows);
  each(".tree[data-files]", tree);
  each("[data-focus]", (element) => element.focus());
  refreshMoments();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copyFrom(button);
  if (event.target.closest("[data-print]")) printAll();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "p" || event.altKey || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  printAll();
});
document.addEventListener("htmx:load", (event) => enhance(event.detail.elt.parentElement ?? document));
document.addEventListener("htmx:afterSwap", saySwapped);
addEventListener("hashchange", followFragment);
setInterval(refreshMoments, 60000);
followFragment();
startToasts();
startTheme();
startMenus();
startTicks();
startDialogs();
startKeyboard();
startSearch();
enhance(document);
