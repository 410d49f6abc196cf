// <theme-switch> holds a <select> of "", "light" and "dark"; the choice is remembered on this device.
const remember = (theme) => {
  try {
    if (theme) localStorage.setItem("theme", theme);
    else localStorage.removeItem("theme");
  } catch {
    // Storage is switched off: the choice holds for this page.
  }
};

customElements.define(
  "theme-switch",
  class extends HTMLElement {
    connectedCallback() {
      const choice = this.querySelector("select");
      const root = document.documentElement;
      choice.value = root.dataset.theme ?? "";
      choice.addEventListener("change", () => {
        if (choice.value) root.dataset.theme = choice.value;
        else delete root.dataset.theme;
        remember(choice.value);
      });
    }
  },
);
