// <yield-verdict data-wanted="97"> beside the number of a yield: says while people type whether it serves every wish.
customElements.define(
  "yield-verdict",
  class extends HTMLElement {
    connectedCallback() {
      this.output = this.querySelector("output");
      this.input = this.output && document.getElementById(this.output.getAttribute("for"));
      if (!this.input) return;
      this.before = this.output.textContent;
      this.input.addEventListener("input", () => this.show());
      this.show();
    }

    show() {
      const typed = this.input.value.trim();
      const known = /^[0-9]{1,7}$/.test(typed);
      const short = Number(this.dataset.wanted) - Number(typed);
      this.output.className = known ? (short > 0 ? "short-note" : "good-note") : "";
      this.output.textContent = known ? (short > 0 ? `short ${short}` : "everyone will be served") : this.before;
    }
  },
);
