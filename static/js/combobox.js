// A text input that suggests, after the ARIA 1.2 combobox pattern with a listbox.
// It asks data-combobox-url + what is typed and expects {"items": [{"value", "label"?, "hint"?}]}.

const PAUSE_MILLISECONDS = 150;
let made = 0;

export function combobox(input) {
  const id = `combobox-${++made}`;
  const list = document.createElement("ul");
  list.id = id;
  list.className = "combobox-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels?.[0]?.textContent ?? input.getAttribute("aria-label") ?? "Suggestions");
  list.hidden = true;

  const box = document.createElement("div");
  box.className = "combobox";
  const hadFocus = document.activeElement === input; // moving it takes the focus away
  input.replaceWith(box);
  box.append(input, list);
  if (hadFocus) input.focus();
  const attributes = { role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id };
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);

  let active = -1;
  let timer = 0;
  let asked = 0;
  const options = () => [...list.querySelectorAll('[role="option"]')];

  function show(items) {
    list.replaceChildren(...items.map(option));
    if (!items.length) list.append(element("li", "combobox-empty", "Nothing matches"));
    active = -1;
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
  }

  function hide() {
    clearTimeout(timer);
    asked++;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function option(item, place) {
    const row = element("li", "combobox-option");
    row.id = `${id}-${place}`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    row.dataset.value = item.value;
    row.append(element("span", "", item.label ?? item.value));
    if (item.hint) row.append(element("span", "combobox-hint", item.hint));
    return row;
  }

  function move(to) {
    const all = options();
    if (!all.length) return;
    all[active]?.setAttribute("aria-selected", "false");
    active = (to + all.length) % all.length;
    all[active].setAttribute("aria-selected", "true");
    all[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", all[active].id);
  }

  function choose(row) {
    input.value = row.dataset.value;
    hide();
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  async function ask() {
    const turn = ++asked;
    const answer = await fetch(input.dataset.comboboxUrl + encodeURIComponent(input.value), { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { items } = await answer.json();
    if (turn === asked && document.activeElement === input) show(items);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MILLISECONDS);
  });
  input.addEventListener("keydown", (event) => {
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (isOpen) move(event.key === "ArrowDown" ? active + 1 : active === -1 ? -1 : active - 1);
      else ask();
    } else if (event.key === "Enter" && isOpen && active >= 0) {
      event.preventDefault();
      choose(options()[active]);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      hide();
    }
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const row = event.target.closest('[role="option"]');
    if (row) choose(row);
  });
  input.addEventListener("blur", hide);
}

function element(name, css, text = "") {
  const made = document.createElement(name);
  made.className = css;
  made.textContent = text;
  return made;
}
