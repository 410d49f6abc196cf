// <pass-key data-signs="…"> or <pass-key data-makes="…"> around a form, with what the server tells the browser as JSON. A button in
// [data-passkey], shown only where the browser knows passkeys, asks for one, puts the answer into the form's field "answer" and sends
// the form. What goes wrong is said in [data-passkey-error]; the form's other fields work without any of this.
const NAMES = { signs: "parseRequestOptionsFromJSON", makes: "parseCreationOptionsFromJSON" };

customElements.define(
  "pass-key",
  class extends HTMLElement {
    connectedCallback() {
      const way = Object.keys(NAMES).find((name) => this.dataset[name]);
      const row = this.querySelector("[data-passkey]");
      if (!way || !row || !window.PublicKeyCredential?.[NAMES[way]]) return;
      row.hidden = false;
      row.querySelector("button").addEventListener("click", () => this.ask(way));
    }

    async ask(way) {
      const form = this.querySelector("form");
      const said = this.querySelector("[data-passkey-error]");
      const publicKey = PublicKeyCredential[NAMES[way]](JSON.parse(this.dataset[way]));
      said.textContent = "";
      try {
        const asked = way === "makes" ? "create" : "get";
        const credential = await navigator.credentials[asked]({ publicKey });
        form.elements.answer.value = JSON.stringify(credential.toJSON());
      } catch (refused) {
        const known = refused.name === "InvalidStateError";
        said.textContent = known ? "This device has a passkey for you already." : "No passkey was given. Please try again.";
        return;
      }
      form.submit();
    }
  },
);
