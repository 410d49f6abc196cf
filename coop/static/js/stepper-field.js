// <stepper-field> wraps a number input and two buttons; the buttons count within the input's own bounds.
customElements.define(
  "stepper-field",
  class extends HTMLElement {
    connectedCallback() {
      this.input = this.querySelector("input");
      this.buttons = this.querySelectorAll("button[data-step]");
      for (const button of this.buttons) button.addEventListener("click", () => this.step(Number(button.dataset.step)));
      this.input.addEventListener("input", () => this.showBounds());
      this.showBounds();
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
