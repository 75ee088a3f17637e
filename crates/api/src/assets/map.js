// The map of all 65,536 ports: one cell each, 256 in a row, with a cursor that keys and fingers move.

import { plain } from "/assets/page.js";

const section = document.querySelector("[data-map]");
const canvas = document.getElementById("map");
const said = document.getElementById("map-said");
const SIDE = 256;
const USES = { listening: "--ok", published: "--ok", bound: "--ok", wire: "--note", touched: "--unseen" };
const VERDICTS = { note: "--note", warning: "--warning", alert: "--alert", unseen: "--unseen" };

if (section && canvas) {
  const transport = section.dataset.map;
  const state = { letters: "", used: new Map(), at: 0, zoom: 1 };
  const context = canvas.getContext("2d");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const draw = () => {
    const cell = canvas.width / SIDE;
    const paper = Object.fromEntries([..."asrud"].map((letter) => [letter, colour(`--p-${letter}`)]));
    const marks = Object.fromEntries([...Object.values(USES), ...Object.values(VERDICTS)].map((name) => [name, colour(name)]));
    context.fillStyle = colour("--sheet");
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (let port = 0; port < state.letters.length; port += 1) {
      const used = state.used.get(port);
      const mark = used && (marks[VERDICTS[used.verdict]] || marks[USES[used.use]]);
      context.fillStyle = mark || paper[state.letters[port]];
      const gap = mark ? 0 : cell > 6 ? 1 : 0.5;
      context.fillRect((port % SIDE) * cell, Math.floor(port / SIDE) * cell, cell - gap, cell - gap);
    }
    context.strokeStyle = colour("--ink");
    context.lineWidth = 2;
    context.strokeRect((state.at % SIDE) * cell - 1, Math.floor(state.at / SIDE) * cell - 1, cell + 2, cell + 2);
  };

  const names = { a: "assigned", s: "assigned and silent", r: "reserved", u: "unassigned", d: "dynamic" };
  const tell = () => {
    const used = state.used.get(state.at);
    const parts = [`Port ${state.at}`, names[state.letters[state.at]] || ""];
    if (used) parts.push(used.registered || "", used.use, (used.holders || []).join(", "), used.verdict || "");
    said.textContent = plain(parts.filter(Boolean).join(", "));
  };
  const go = (port) => {
    state.at = Math.max(0, Math.min(65535, port));
    const cell = canvas.clientWidth / SIDE;
    const frame = canvas.parentElement;
    const x = (state.at % SIDE) * cell;
    const y = Math.floor(state.at / SIDE) * cell;
    if (x < frame.scrollLeft || x > frame.scrollLeft + frame.clientWidth - cell) frame.scrollLeft = x - frame.clientWidth / 2;
    if (y < frame.scrollTop || y > frame.scrollTop + frame.clientHeight - cell) frame.scrollTop = y - frame.clientHeight / 2;
    draw();
    tell();
  };
  const zoom = (by) => {
    state.zoom = Math.max(1, Math.min(8, state.zoom * by));
    canvas.width = canvas.height = Math.min(4096, 1024 * state.zoom);
    // Set by script through the object model, which the policy of the page allows; no text of style is parsed.
    canvas.style.width = `${100 * state.zoom}%`;
    go(state.at);
  };
  const KEYS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -SIDE, ArrowDown: SIDE, PageUp: -SIDE * 16, PageDown: SIDE * 16 };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in KEYS) go(state.at + KEYS[event.key]);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(65535);
    else if (event.key === "+" || event.key === "=") zoom(2);
    else if (event.key === "-") zoom(0.5);
    else if (event.key === "Enter") location.assign(`/ports/${transport}/${state.at}`);
    else return;
    event.preventDefault();
  });
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * SIDE);
    const row = Math.floor(((event.clientY - box.top) / box.height) * SIDE);
    return Math.max(0, Math.min(SIDE - 1, row)) * SIDE + Math.max(0, Math.min(SIDE - 1, column));
  };
  canvas.addEventListener("pointermove", (event) => { state.at = under(event); tell(); });
  canvas.addEventListener("click", (event) => { go(under(event)); });
  canvas.addEventListener("dblclick", (event) => { location.assign(`/ports/${transport}/${under(event)}`); });

  const load = async () => {
    const read = async (path) => { const answer = await fetch(path); return answer.ok ? answer.json() : null; };
    if (!state.letters) {
      const paper = await read(`/api/v1/ports/paper?transport=${transport}`);
      if (!paper) return;
      state.letters = paper.letters;
    }
    const used = new Map();
    let cursor = "";
    do {
      const page = await read(`/api/v1/ports?transport=${transport}&use=any&limit=1000${cursor}`);
      if (!page) return;
      for (const port of page.items) used.set(port.port, port);
      cursor = page.next ? `&cursor=${page.next}` : "";
    } while (cursor);
    state.used = used;
    section.hidden = false;
    draw();
  };
  document.addEventListener("portreeve:refreshed", load);
  load();
}
