"use strict";
// The app lives in a process on this computer. While that does not answer, this page says so, and comes back by itself.
(() => {
  const ASK_MS = 2000; // between two questions whether it answers
  const PATIENCE_MS = 3000; // a shorter gap is none: nobody need be told
  const UNSURE_MS = 6000; // a start may still come to its end
  const STUCK_MS = 90000; // longer than any honest start
  const WORDS = {
    starting: ["Jorge BI is not answering yet.", "It may still be starting. This page opens by itself as soon as it does."],
    gone: [
      "The app is not running, or is being restarted.",
      "What you saved is safe. Start it again with \u201cmake run\u201d; this page reconnects by itself.",
    ],
  };

  let strip = null;

  function say(key) {
    if (strip !== null) return;
    const [head, text] = WORDS[key];
    strip = document.createElement("div");
    strip.id = "not-alive";
    strip.setAttribute("role", "alert");
    strip.style.cssText =
      "position:fixed;left:0;right:0;top:0;z-index:2147483647;padding:14px 16px;background:#7a1412;color:#fff;" +
      "font:16px/1.4 system-ui,sans-serif;text-align:center;pointer-events:none";
    for (const [tag, words] of [["strong", head], ["div", text]]) {
      strip.appendChild(document.createElement(tag)).textContent = words;
    }
    (document.body || document.documentElement).appendChild(strip);
  }

  function unsay() {
    if (strip !== null) strip.remove();
    strip = null;
  }

  async function answers() {
    try {
      return (await fetch("version.json", { cache: "no-store" })).ok;
    } catch {
      return false;
    }
  }

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // --- the start: a file that did not come is never asked for again by the loader, so the page is loaded anew ---------

  let drawn = false;
  let open = 0; // lines to the process
  let telling = null;
  let again = false;

  // Each load that came to nothing makes the next one wait longer: a file that is really missing is no endless blinking.
  let shelf = null;
  try {
    shelf = window.sessionStorage;
  } catch {
    // forbidden in this browser: then each load waits as long as the first
  }
  const loads = Number(shelf?.getItem("loads") || 0);

  async function loadAgain(wait) {
    if (again) return;
    again = true;
    await pause(wait * 2 ** Math.min(loads, 4));
    if (drawn) return;
    say("starting");
    while (!(await answers())) await pause(ASK_MS);
    if (drawn) return;
    shelf?.setItem("loads", loads + 1);
    location.reload();
  }

  const onFault = (event) => {
    if (event.target instanceof HTMLScriptElement) loadAgain(ASK_MS);
  };
  const onRejection = () => loadAgain(UNSURE_MS); // the loader imports the program; other promises may fail unharmed
  const stuck = setTimeout(() => loadAgain(0), STUCK_MS);
  window.addEventListener("error", onFault, true);
  window.addEventListener("unhandledrejection", onRejection);
  window.addEventListener(
    "flutter-first-frame",
    () => {
      drawn = true;
      shelf?.removeItem("loads");
      clearTimeout(stuck);
      unsay();
      window.removeEventListener("error", onFault, true);
      window.removeEventListener("unhandledrejection", onRejection);
      if (open === 0) telling = setTimeout(() => say("gone"), PATIENCE_MS);
    },
    { once: true },
  );

  // --- later: the line to the app's process. Flet tries again by itself, but only says "Working…" -----------------------

  function lost() {
    open -= 1;
    if (open === 0) telling = setTimeout(() => say("gone"), PATIENCE_MS);
  }

  function found() {
    open += 1;
    clearTimeout(telling);
    unsay();
  }

  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener("open", () => {
        found();
        this.addEventListener("close", lost);
      });
    }
  };
})();
