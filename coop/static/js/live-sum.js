// <live-sum data-currency="EUR" data-digits="2"> around an order form: while people type, each <output data-at-most> shows the sum of
// every number input times its data-unit, in minor units. An input with data-wish="NAME" ("up to") counts at least as many as the
// input of that name, which itself carries no data-unit then. The server's own sum is what counts.
const pieces = (input) => Math.max(Number.parseInt(input?.value, 10) || 0, 0);

customElements.define(
  "live-sum",
  class extends HTMLElement {
    connectedCallback() {
      this.addEventListener("input", () => this.show());
    }

    show() {
      let minor = 0;
      for (const input of this.querySelectorAll("input[data-unit]")) {
        const { unit, wish } = input.dataset;
        const wished = wish ? pieces(this.querySelector(`[name="${CSS.escape(wish)}"]`)) : 0;
        minor += Math.max(pieces(input), wished) * Number(unit);
      }
      const { currency, digits } = this.dataset;
      const money = { style: "currency", currency, currencyDisplay: "narrowSymbol" };
      const words = new Intl.NumberFormat(document.documentElement.lang, money).format(minor / 10 ** Number(digits));
      for (const sum of this.querySelectorAll("output[data-at-most]")) sum.textContent = words;
    }
  },
);
