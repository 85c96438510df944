// A text field that suggests (ARIA combobox with a list, APG pattern). Without it the field is a plain one, and the
// server reads the text. Expects:
//   <div data-combobox="/address"> <label> <input type="text"> <input type="hidden" disabled> </div>
// The address answers {"suggestions": [{"label": …, "value": …}]}; the hidden field carries the value of the choice.
(() => {
  const DELAY_MS = 150;
  const MIN_LETTERS = 2;

  function enhance(group) {
    const input = group.querySelector('input[type="text"]');
    const choice = group.querySelector('input[type="hidden"]');
    const known = new Map();
    let options = [];
    let active = -1;
    let timer = 0;
    let asking = null;

    const list = document.createElement("ul");
    list.id = `${input.id}-suggestions`;
    list.className = "suggestions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    list.hidden = true;
    const field = document.createElement("div");
    field.className = "suggestions-field";
    // An element that moves loses the focus, which a page with an error gives to its field.
    const isFocused = input.autofocus || document.activeElement === input;
    input.before(field);
    field.append(input, list);
    if (isFocused) input.focus();
    const status = document.createElement("p");
    status.className = "fr-sr-only";
    status.setAttribute("role", "status");
    group.append(status);

    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);
    choice.disabled = !choice.value;

    function close() {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function activate(index) {
      active = index;
      [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
      const item = list.children[index];
      if (!item) return input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    }

    function choose(index) {
      const option = options[index];
      if (!option) return;
      input.value = option.label;
      choice.value = option.value;
      choice.disabled = false;
      status.textContent = `${option.label}, choisi`;
      close();
      // As a browser does for what is typed: a page may wait for the choice.
      choice.dispatchEvent(new Event("change", { bubbles: true }));
    }

    function show(suggestions) {
      options = suggestions;
      list.replaceChildren(
        ...options.map((option, index) => {
          const item = document.createElement("li");
          item.id = `${list.id}-${index}`;
          item.setAttribute("role", "option");
          item.setAttribute("aria-selected", "false");
          item.textContent = option.label;
          // The field keeps the focus: a click must not blur it before it chooses.
          item.addEventListener("pointerdown", (event) => event.preventDefault());
          item.addEventListener("click", () => choose(index));
          return item;
        }),
      );
      if (!options.length) {
        status.textContent = "Aucune suggestion";
        return close();
      }
      status.textContent = options.length === 1 ? "1 suggestion" : `${options.length} suggestions`;
      list.hidden = false;
      active = -1;
      input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-expanded", "true");
      // On a phone the keyboard takes half of the screen.
      list.scrollIntoView({ block: "nearest" });
    }

    async function suggest() {
      const text = input.value.trim();
      if (text.length < MIN_LETTERS) return close();
      const key = text.toLowerCase();
      if (known.has(key)) return show(known.get(key));
      asking?.abort();
      asking = new AbortController();
      try {
        const answer = await fetch(`${group.dataset.combobox}?q=${encodeURIComponent(text)}`, { signal: asking.signal });
        if (!answer.ok) return close();
        const { suggestions } = await answer.json();
        known.set(key, suggestions);
        if (document.activeElement === input) show(suggestions);
      } catch {
        // Given up for a newer question, or no network: the server will read the text.
        close();
      }
    }

    input.addEventListener("input", () => {
      choice.value = "";
      choice.disabled = true;
      clearTimeout(timer);
      timer = setTimeout(suggest, DELAY_MS);
    });

    input.addEventListener("keydown", (event) => {
      const open = !list.hidden;
      const last = options.length - 1;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (!open) return void suggest();
        const step = event.key === "ArrowDown" ? 1 : -1;
        const next = active + step;
        activate(next > last ? 0 : next < 0 ? last : next);
      } else if (event.key === "Enter" && open && active >= 0) {
        event.preventDefault();
        choose(active);
      } else if (event.key === "Escape") {
        if (open) {
          event.preventDefault();
          close();
        }
      } else if (event.key === "Tab" && open && active >= 0) {
        choose(active);
      }
    });

    input.addEventListener("blur", () => {
      clearTimeout(timer);
      asking?.abort();
      close();
    });
  }

  document.querySelectorAll("[data-combobox]").forEach(enhance);
})();
