/* A click on a figure opens it at full size over the page. Without this script, and
   with a key that asks for a new window, the link leads to the picture's file. */
(() => {
  const open = (picture) => {
    const dialog = document.createElement("dialog");
    dialog.className = "whole";
    dialog.setAttribute("aria-label", "The figure at full size");
    const form = document.createElement("form");
    form.method = "dialog";
    const button = document.createElement("button");
    button.textContent = "Close";
    form.append(button);
    const whole = document.createElement("img");
    whole.src = picture.currentSrc || picture.src;
    whole.alt = picture.alt;
    dialog.append(form, whole);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // beside the picture
    });
    document.body.append(dialog);
    dialog.showModal();
  };
  document.addEventListener("click", (event) => {
    const sheet = event.target.closest?.("a.sheet");
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!sheet || !isPlain || event.button !== 0) return;
    event.preventDefault();
    open(sheet.querySelector("img"));
  });
})();
