// Pictures of a page are loaded when a reader comes near (_sphinx/apart.py); those that
// a slider hides, as soon as a reader reaches for it, so that none is late.
(() => {
  const wake = (event) => {
    const output = event.target.closest?.(".cell_output");
    if (!output || "isAwake" in output.dataset) return;
    output.dataset.isAwake = "";
    for (const image of output.querySelectorAll('img[loading="lazy"]')) image.loading = "eager";
  };
  for (const kind of ["pointerover", "pointerdown", "focusin"]) document.addEventListener(kind, wake);
  // On paper, all are wanted.
  window.addEventListener("beforeprint", () => {
    for (const image of document.querySelectorAll('img[loading="lazy"]')) image.loading = "eager";
  });
})();
