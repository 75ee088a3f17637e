// Keeps a page alive: listens for changes, fetches the page anew, and takes over the parts that differ.

const words = document.getElementById("live-words");
const sign = document.getElementById("live");
let asked = false;
let busy = false;
let timer = 0;

// What would mislead the eye is made visible, as the server does in pages.
export const plain = (text) => text.replace(/[\p{Cc}\p{Cf}\p{DI}\p{Zl}\p{Zp}\u2800]/gu, (it) => {
  const code = it.codePointAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
});

function tell(on, text) {
  sign.classList.toggle("is-on", on);
  if (words.textContent !== text) words.textContent = text;
}

// Local time beside what the server says; the exact moment stays in the attribute.
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.dateTime;
    time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  }
}

// What a reader has opened, and where they are, stays as it is.
function takeOver(old, fresh) {
  const opened = [...old.querySelectorAll("details")].map((it) => it.open);
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const href = focused?.getAttribute("href");
  const label = focused?.getAttribute("aria-label");
  old.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((it, at) => { it.open = opened[at] ?? it.open; });
  localise(fresh);
  if (!focused) return;
  const again = [...fresh.querySelectorAll("a, button, [tabindex]")]
    .find((it) => (href ? it.getAttribute("href") === href : label && it.getAttribute("aria-label") === label));
  again?.focus({ preventScroll: true });
}

const sources = new Map();
for (const part of document.querySelectorAll("[data-live]")) sources.set(part.id, part.outerHTML);

async function refresh() {
  if (busy) { asked = true; return; }
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-cache" });
    if (answer.status === 401) { location.assign("/login"); return; }
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(old.id);
      if (!fresh) continue;
      const source = fresh.outerHTML;
      if (sources.get(old.id) === source) continue;
      sources.set(old.id, source);
      takeOver(old, document.importNode(fresh, true));
    }
    document.dispatchEvent(new CustomEvent("portreeve:refreshed"));
  } catch { /* The server is away; the event stream tells of it. */ } finally {
    busy = false;
    if (asked) { asked = false; soon(); }
  }
}

// What comes meanwhile does not put it off: where much happens, the page follows all the same.
function soon() {
  timer ||= setTimeout(() => { timer = 0; refresh(); }, document.hidden ? 5000 : 250);
}

function listen() {
  const events = new EventSource("/api/v1/events?kinds=socket,found,over,touch,looked,traffic&passing=false");
  events.onopen = () => tell(true, "live");
  events.onerror = () => tell(false, "not live, trying again");
  const say = (kind) => (event) => {
    try {
      const it = JSON.parse(event.data);
      // Programs choose user ports for their own datagrams all the time: the page has them, and nobody is told each.
      if (kind === "socket" && it.kind.startsWith("udp") && it.port >= 1024) { soon(); return; }
      const text = it.title || it.words || (kind === "over" ? `over: ${it.code}` : "");
      if (text) tell(true, plain(text.slice(0, 120)));
    } catch { /* Nothing to say. */ }
    soon();
  };
  for (const kind of ["socket", "found", "over", "touch"]) events.addEventListener(kind, say(kind));
  for (const kind of ["looked", "traffic", "missed"]) events.addEventListener(kind, soon);
  addEventListener("pagehide", () => events.close());
}

const theme = document.getElementById("theme");
if (theme) {
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = (it) => { try { localStorage.setItem("theme", it); } catch { /* It holds for this page. */ } };
  const dark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  if (kept()) document.documentElement.dataset.theme = kept();
  theme.hidden = false;
  theme.setAttribute("aria-pressed", String(dark()));
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    keep(document.documentElement.dataset.theme);
    theme.setAttribute("aria-pressed", String(dark()));
    document.dispatchEvent(new CustomEvent("portreeve:refreshed"));
  });
}

localise(document);
listen();
