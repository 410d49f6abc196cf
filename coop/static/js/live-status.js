// <live-status data-src="..."> asks for a fragment every few seconds and puts it into its live region, until the fragment says it is
// done (data-done). It waits longer each time nothing changed, rests while the page is hidden, and leaves the link beneath to people.
const SHORTEST = 1000;
const LONGEST = 8000;

customElements.define(
  "live-status",
  class extends HTMLElement {
    connectedCallback() {
      if (this.hasAttribute("data-done")) return;
      this.region = this.querySelector("[aria-live]");
      this.pause = SHORTEST;
      this.wait();
    }

    disconnectedCallback() {
      clearTimeout(this.timer);
    }

    wait() {
      this.timer = setTimeout(() => this.ask(), this.pause);
    }

    async ask() {
      if (document.hidden) return this.wait();
      try {
        const answer = await fetch(this.dataset.src, { headers: { Accept: "text/html" }, redirect: "error" });
        if (answer.ok) this.show(await answer.text());
        else this.pause = LONGEST;
      } catch {
        this.pause = LONGEST;
      }
      if (this.isConnected && !this.hasAttribute("data-done")) this.wait();
    }

    show(html) {
      const fragment = new DOMParser().parseFromString(html, "text/html").body;
      if (fragment.innerHTML === this.last) {
        this.pause = Math.min(this.pause * 1.5, LONGEST);
        return;
      }
      this.last = fragment.innerHTML;
      this.pause = SHORTEST;
      const done = fragment.querySelector("[data-done]") !== null;
      this.region.replaceChildren(...fragment.childNodes);
      if (!done) return;
      this.setAttribute("data-done", "");
      this.querySelector(".again")?.parentElement.remove();
    }
  },
);
