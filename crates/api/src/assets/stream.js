// Takes a picture when somebody wants one, and moves the meters while somebody looks.

const still = document.getElementById("still");
const take = document.getElementById("take");
if (still && take) {
  const image = still.querySelector("img");
  const words = still.querySelector("figcaption");
  take.hidden = false;
  const done = (text) => { take.disabled = false; words.textContent = text; };
  image.addEventListener("load", () => { image.hidden = false; done(`Taken ${new Date().toLocaleTimeString()}.`); });
  image.addEventListener("error", async () => {
    image.hidden = true;
    try {
      const answer = await fetch(still.dataset.path);
      done(answer.ok ? "The picture could not be shown." : (await answer.json()).detail);
    } catch { done("The connection broke off."); }
  });
  take.addEventListener("click", () => {
    take.disabled = true;
    words.textContent = "Waiting for a whole picture…";
    image.src = `${still.dataset.path}?at=${Date.now()}`;
  });
}

const levels = document.getElementById("levels");
if (levels) {
  const decibels = (hundredths) => (hundredths === null ? "−∞" : (hundredths / 100).toFixed(1).replace("-", "−"));
  const cell = (row, kind, text) => { const it = row.appendChild(document.createElement(kind)); it.textContent = text; return it; };
  let rows = [];

  const build = (told) => {
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const name of ["Channel", "RMS", "dBFS", "Peak", "True peak"]) { cell(head, "th", name).scope = "col"; }
    const body = table.createTBody();
    rows = told.channels.map((channel) => {
      const row = body.insertRow();
      cell(row, "th", channel.name).scope = "row";
      const meter = cell(row, "td", "").appendChild(document.createElement("meter"));
      Object.assign(meter, { min: -72, max: 3, low: -18, high: -9, optimum: -72 });
      meter.setAttribute("aria-label", `RMS of ${channel.name}`);
      return [meter, cell(row, "td", ""), cell(row, "td", ""), cell(row, "td", "")];
    });
    const loudness = document.createElement("ul");
    loudness.className = "rows";
    levels.replaceChildren(table, loudness);
  };

  const show = (told) => {
    if (!told.heard) return;
    if (rows.length !== told.channels.length) build(told);
    told.channels.forEach((channel, at) => {
      const [meter, rms, peak, truePeak] = rows[at];
      meter.value = channel.rms_cdb === null ? -72 : channel.rms_cdb / 100;
      rms.textContent = decibels(channel.rms_cdb);
      peak.textContent = decibels(channel.peak_cdb);
      truePeak.textContent = decibels(channel.true_peak_cdb);
    });
    const list = levels.querySelector("ul");
    list.replaceChildren(...told.programmes.map((it) => {
      const line = document.createElement("li");
      line.textContent = `${it.name}: ${decibels(it.momentary_clu)} LUFS now, ${decibels(it.integrated_clu)} LUFS since you listen`;
      return line;
    }));
  };

  const events = new EventSource(levels.dataset.path);
  events.addEventListener("levels", (event) => { try { show(JSON.parse(event.data)); } catch { /* The next one will do. */ } });
  addEventListener("pagehide", () => events.close());
}
