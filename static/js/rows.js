// Rows of tables that a box filters as one types, and rows of forms that a button adds.

export function filterRows(input) {
  const rows = [...document.getElementById(input.dataset.filterRows).tBodies[0].rows];
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  });
}

export function growRows(box) {
  const button = box.querySelector("[data-grow]");
  button.addEventListener("click", () => {
    const row = [...box.querySelectorAll("[data-grows-row]")].at(-1);
    const next = row.cloneNode(true);
    for (const input of next.querySelectorAll("input")) input.value = "";
    row.after(next);
    next.querySelector("input").focus();
  });
}
