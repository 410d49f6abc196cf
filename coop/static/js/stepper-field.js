// <stepper-field> wraps a labelled number input and puts − and + beside it, which count within the input's own bounds.
customElements.define(
  "stepper-field",
  class extends HTMLElement {
    connectedCallback() {
      if (this.input) return;
      this.input = this.querySelector("input");
      const label = this.input.labels[0];
      const asked = (label.querySelector(".visually-hidden") ?? label).textContent.trim();
      this.buttons = [this.button(-1, "−", `One fewer: ${asked}`), this.button(1, "+", `One more: ${asked}`)];
      this.input.before(this.buttons[0]);
      this.input.after(this.buttons[1]);
      this.input.addEventListener("input", () => this.showBounds());
      this.showBounds();
    }

    button(by, sign, name) {
      const made = Object.assign(document.createElement("button"), { type: "button", tabIndex: -1, textContent: sign, ariaLabel: name });
      made.dataset.step = by;
      made.addEventListener("click", () => this.step(by));
      return made;
    }

    step(by) {
      const { min, max } = this.input;
      const wanted = (Number.parseInt(this.input.value, 10) || 0) + by;
      const least = min === "" ? wanted : Math.max(wanted, Number(min));
      this.input.value = String(max === "" ? least : Math.min(least, Number(max)));
      this.input.dispatchEvent(new Event("input", { bubbles: true }));
      this.input.dispatchEvent(new Event("change", { bubbles: true }));
    }

    showBounds() {
      const now = Number.parseInt(this.input.value, 10) || 0;
      for (const button of this.buttons) {
        const bound = Number(button.dataset.step) < 0 ? this.input.min : this.input.max;
        button.disabled = bound !== "" && now === Number(bound);
      }
    }
  },
);
