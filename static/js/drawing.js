// What the marks and bars of a drawing say, read out below it while one points at them or walks to them.

export function readOut(figure) {
  const readout = figure.querySelector(".plot-readout");
  if (!readout) return;
  const say = (event) => {
    const title = event.target.closest(".drawing-mark, .drawing-bar, a")?.querySelector("title");
    readout.textContent = title?.textContent ?? "";
  };
  figure.addEventListener("pointerover", say);
  figure.addEventListener("focusin", say);
  figure.addEventListener("pointerleave", () => (readout.textContent = ""));
}
