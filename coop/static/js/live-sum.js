// <live-sum data-currency="EUR" data-digits="2" data-sum="at-most"> around an order form: while people type, the <output> with that id
// shows the sum of each number input times its data-unit, in minor units. An input with data-wish="NAME" ("up to") counts at least
// as many as the input of that name, which itself carries no data-unit then. The server's own sum is what counts.
const pieces = (input) => Math.max(Number.parseInt(input?.value, 10) || 0, 0);

customElements.define(
  "live-sum",
  class extends HTMLElement {
    connectedCallback() {
      this.addEventListener("input", () => this.show());
    }

    show() {
      const sum = document.getElementById(this.dataset.sum);
      if (!sum) return;
      let minor = 0;
      for (const input of this.querySelectorAll("input[data-unit]")) {
        const { unit, wish } = input.dataset;
        const asked = wish ? Math.max(pieces(input), pieces(this.querySelector(`[name="${CSS.escape(wish)}"]`))) : pieces(input);
        minor += asked * Number(unit);
      }
      const { currency, digits } = this.dataset;
      const words = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
      sum.textContent = words.format(minor / 10 ** Number(digits));
    }
  },
);
