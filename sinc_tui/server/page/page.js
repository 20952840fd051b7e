// What the page adds to textual-serve's script: a font that is there before cells are measured, a
// clipboard that does not fail in silence, downloads that know the key in the address.
(() => {
  "use strict";

  const start = window.onload;
  window.onload = null;
  const font = (style) => document.fonts.load(`${style} 16px "Roboto Mono"`);
  const fonts = Promise.allSettled(["", "bold", "italic"].map(font));
  const shown = new Promise((done) => addEventListener("DOMContentLoaded", done));
  Promise.all([fonts, shown]).then(start);

  // The app is told about the focus, so it must be there before it gets the focus.
  const focus = () => document.querySelector(".xterm-helper-textarea").focus();
  const begun = new MutationObserver(() => {
    if (!document.body.classList.contains("-first-byte")) return;
    begun.disconnect();
    focus();
  });
  shown.then(() => begun.observe(document.body, {attributeFilter: ["class"]}));

  const byId = (id) => document.getElementById(id);
  const write = navigator.clipboard.writeText.bind(navigator.clipboard);
  let kept = "";
  const copy = async (text) => {
    const refused = byId("refused").classList;
    try {
      await write(text);
      refused.remove("shown");
    } catch {
      kept = text;
      refused.add("shown");
    }
  };
  navigator.clipboard.writeText = copy;

  // The terminal would take Ctrl+V for a character; let the browser paste.
  const pastes = (event) => event.ctrlKey && !event.altKey && !event.metaKey && event.code === "KeyV";
  addEventListener("keydown", (event) => pastes(event) && event.stopImmediatePropagation(), true);

  const open = window.open.bind(window);
  const downloads = `${location.origin}/download/`;
  window.open = (address, ...more) => {
    if (!String(address).startsWith(downloads)) return open(address, ...more);
    const link = document.createElement("a");
    link.href = `download/${address.slice(downloads.length)}`;
    link.download = "";
    link.click();
    return null;
  };

  shown.then(() => {
    byId("restart").addEventListener("click", () => location.reload());
    byId("copy").addEventListener("click", () => copy(kept));
    byId("dismiss").addEventListener("click", () => byId("refused").classList.remove("shown"));
    byId("terminal").addEventListener("click", focus);
  });
})();
