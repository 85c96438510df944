// A button that copies a text: <button type="button" class="needs-script" data-copy="…" data-copied="…">. What was done
// is said beside it. Where the browser refuses (a page that is not secure), the button goes: the text is there to read.
(() => {
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) {
      button.hidden = true;
      continue;
    }
    const status = document.createElement("p");
    status.className = "copied fr-valid-text";
    status.setAttribute("role", "status");
    status.hidden = false;
    button.after(status);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        status.textContent = button.dataset.copied;
      } catch {
        button.hidden = true;
      }
    });
  }
})();
