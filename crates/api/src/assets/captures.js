// Hands a capture in as it is dropped or chosen, and shows the report when it is there.

import { plain } from "/assets/page.js";

const drop = document.getElementById("drop");
if (drop) {
  const file = document.getElementById("file");
  const progress = document.getElementById("progress");
  const said = document.getElementById("drop-said");
  const most = Number(drop.dataset.most);
  drop.hidden = false;

  const hand = (it) => {
    if (!it) { said.textContent = "Choose a file first."; return; }
    if (it.size > most) { said.textContent = "The file is too large to be read here; use portreeve read."; return; }
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/captures?name=${encodeURIComponent(it.name)}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    const csrf = document.querySelector("meta[name=csrf]");
    if (csrf) request.setRequestHeader("x-portreeve-csrf", csrf.content);
    request.upload.onprogress = (event) => { progress.value = event.lengthComputable ? (100 * event.loaded) / event.total : 0; };
    request.onload = () => {
      progress.hidden = true;
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* Told below. */ }
      if (request.status === 202) location.assign(`/captures/${answer.id}`);
      else said.textContent = answer.detail || "The capture could not be handed in.";
    };
    request.onerror = () => { progress.hidden = true; said.textContent = "The connection broke off."; };
    progress.hidden = false;
    said.textContent = `Sending ${plain(it.name)}…`;
    request.send(it);
  };

  drop.addEventListener("submit", (event) => { event.preventDefault(); hand(file.files[0]); });
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("is-over"); });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    hand(event.dataTransfer.files[0]);
  });
}

// A report that is not there yet is asked for again.
const again = () => { if (document.querySelector("[data-again]")) setTimeout(() => location.reload(), 1000); };
again();
