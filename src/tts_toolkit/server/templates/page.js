"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const [text, voice, speed, go, stop] = ["text", "voice", "speed", "go", "stop"].map(byId);
  const clips = [];
  let running = null;
  let paced = false; // whether the user has moved the speed; until then it is the server's

  // Asking the server

  function authorization() {
    const key = sessionStorage.getItem("key");
    return byId("login") && key ? { authorization: `Bearer ${key}` } : {};
  }

  async function ask(path, options = {}) {
    let reply;
    try {
      reply = await fetch(path, {
        ...options,
        headers: { ...options.headers, ...authorization() },
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The server does not answer.");
    }
    if (reply.ok) return reply;
    const body = await reply.json().catch(() => ({}));
    throw new Error(body.error?.message || `The server answers ${reply.status}.`);
  }

  function show(id, message) {
    byId(id).hidden = !message;
    byId(id).textContent = message.charAt(0).toUpperCase() + message.slice(1);
  }

  // What there is

  async function look() {
    const health = await fetch("health").then((reply) => reply.json());
    const how = health.status === "healthy" ? "ready" : health.status;
    const said = `${health.model} on ${health.device}, ${how}`;
    if (byId("engine").textContent !== said) byId("engine").textContent = said;
    if (health.status === "starting") setTimeout(look, 1000);
  }

  async function list(chosen = voice.value) {
    const voices = await (await ask("v1/voices")).json();
    const options = voices.data.map((one) => {
      const label = one.default && one.id !== "default" ? `${one.id} (default)` : one.id;
      return new Option(label, one.id, one.default, one.id === chosen || (!chosen && one.default));
    });
    voice.replaceChildren(...options);
    speed.min = voices.slowest;
    speed.max = voices.fastest;
    if (!paced) {
      speed.value = voices.speed;
      pace(voices.speed);
    }
    byId("cloning").hidden = !voices.clones;
    if (voices.emotions.length && byId("moods").hidden) offer(voices.emotions);
    byId("uploaded").replaceChildren(...voices.data.filter((one) => one.uploaded).map(entry));
  }

  function entry(one) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Delete";
    button.setAttribute("aria-label", `Delete ${one.id}`);
    button.addEventListener("click", async () => {
      try {
        await ask(`v1/voices/${encodeURIComponent(one.id)}`, { method: "DELETE" });
        await list();
        show("upload-problem", "");
        byId("upload-status").textContent = `${one.id} is deleted.`;
      } catch (error) {
        show("upload-problem", error.message);
      }
    });
    item.append(`${one.id}, ${one.duration_s.toFixed(1)} s`, button);
    return item;
  }

  // Emotions

  const weights = () =>
    Object.fromEntries(
      [...document.querySelectorAll(".moods input")]
        .filter((input) => Number(input.value))
        .map((input) => [input.dataset.mood, Number(input.value)]),
    );

  function offer(emotions) {
    const box = document.querySelector(".moods");
    for (const mood of emotions) {
      const line = document.createElement("div");
      line.className = "line";
      line.innerHTML = '<label></label><input type="range" min="0" max="0.8" step="0.05" value="0"><output>0</output>';
      const [label, input, output] = line.children;
      label.textContent = mood;
      label.htmlFor = input.id = `mood-${mood}`;
      input.dataset.mood = mood;
      input.addEventListener("input", () => {
        // Together they may have 0.8, so the one that is moved stops there.
        const others = Object.values({ ...weights(), [mood]: 0 }).reduce((a, b) => a + b, 0);
        input.value = Math.min(Number(input.value), Math.round((0.8 - others) * 20) / 20);
        output.value = Number(input.value).toFixed(2);
        const named = Object.keys(weights()).join(", ");
        byId("mood").textContent = named || "none";
      });
      box.append(line);
    }
    byId("moods").hidden = false;
  }

  // Speaking

  async function speak(event) {
    event.preventDefault();
    if (running) return;
    running = new AbortController();
    const started = performance.now();
    const said = { text: text.value.trim(), voice: voice.value };
    busy(true);
    show("problem", "");
    byId("progress").textContent = "Waiting for the engine…";
    try {
      const emotion = weights();
      // What the user leaves alone is the server's to say.
      const [chosen] = voice.selectedOptions;
      const reply = await ask("v1/audio/speech", {
        method: "POST",
        signal: running.signal,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          model: "tts-1",
          input: said.text,
          response_format: "wav",
          ...(chosen && !chosen.defaultSelected ? { voice: chosen.value } : {}),
          ...(paced ? { speed: Number(speed.value) } : {}),
          ...(Object.keys(emotion).length ? { emotion } : {}),
        }),
      });
      const sound = await take(reply);
      const took = (performance.now() - started) / 1000;
      add({ ...said, ...sound, took });
      byId("progress").textContent = `Done: ${sound.seconds.toFixed(1)} s of speech.`;
    } catch (error) {
      byId("progress").textContent = "";
      if (error.name === "AbortError") byId("progress").textContent = "Stopped.";
      else show("problem", error.message);
    } finally {
      running = null;
      busy(false);
    }
  }

  function busy(on) {
    // It keeps the focus, so it is not disabled.
    go.setAttribute("aria-disabled", String(on));
    stop.hidden = byId("bar").hidden = !on;
  }

  // The reply as a file. Its header says that the length is unknown; at the end it is known.
  async function take(reply) {
    const parts = [];
    let size = 0;
    let told = 0;
    const reader = reply.body.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch(broken);
      if (done) break;
      parts.push(value);
      size += value.length;
      if (parts[0].length < 256) continue; // not all of the header yet
      const { rate } = header(parts[0]);
      const seconds = Math.floor(size / 2 / rate);
      if (seconds > told) byId("progress").textContent = `${(told = seconds)} s of speech so far…`;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const { rate, start } = header(bytes);
    const view = new DataView(bytes.buffer);
    view.setUint32(4, size - 8, true);
    view.setUint32(start - 4, size - start, true);
    const samples = new Int16Array(bytes.slice(start, start + ((size - start) & ~1)).buffer);
    return { file: new Blob([bytes], { type: "audio/wav" }), samples, seconds: samples.length / rate };
  }

  function header(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 12;
    try {
      while (view.getUint32(at) !== 0x64617461) at += 8 + view.getUint32(at + 4, true); // "data"
      return { rate: view.getUint32(24, true), start: at + 8 };
    } catch (error) {
      return broken(error); // it has no more bytes
    }
  }

  function broken(error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The reply broke off; try again.");
  }

  // Listening

  function add(made) {
    const row = byId("clip-row").content.cloneNode(true);
    const find = (selector) => row.querySelector(selector);
    const [canvas, audio, save] = ["canvas", "audio", ".save"].map(find);
    find(".text").textContent = made.text;
    find(".who").textContent = made.voice;
    find(".long").textContent = `${made.seconds.toFixed(2)} s`;
    find(".took").textContent = `made in ${made.took.toFixed(1)} s`;
    audio.src = save.href = URL.createObjectURL(made.file);
    audio.setAttribute("aria-label", made.text.slice(0, 80));
    save.download = "speech.wav";
    const { samples, seconds } = made;
    const loudest = samples.reduce((most, one) => Math.max(most, Math.abs(one)), 1);
    const clip = { canvas, audio, samples, loudest, seconds };
    clips.push(clip);
    canvas.addEventListener("click", (event) => {
      audio.currentTime = (event.offsetX / canvas.clientWidth) * made.seconds;
      audio.play().catch(() => {});
    });
    for (const kind of ["seeked", "pause", "ended"]) audio.addEventListener(kind, () => draw(clip));
    audio.addEventListener("play", () => {
      for (const other of clips) if (other !== clip) other.audio.pause();
      follow(clip);
    });
    byId("results").hidden = false;
    byId("clips").prepend(row);
    draw(clip);
    audio.play().catch(() => {}); // a browser may want a click first
  }

  function follow(clip) {
    draw(clip);
    if (!clip.audio.paused) requestAnimationFrame(() => follow(clip));
  }

  function draw({ canvas, audio, samples, loudest, seconds }) {
    const scale = window.devicePixelRatio || 1;
    const wide = (canvas.width = Math.round(canvas.clientWidth * scale));
    const tall = (canvas.height = Math.round(canvas.clientHeight * scale));
    const bar = Math.round(3 * scale);
    const bars = Math.max(1, Math.floor(wide / (bar + scale)));
    const style = getComputedStyle(document.documentElement);
    const brush = canvas.getContext("2d");
    const played = (audio.currentTime / seconds) * bars;
    for (let i = 0; i < bars; i++) {
      const end = Math.floor(((i + 1) * samples.length) / bars);
      let peak = 0;
      for (let n = Math.floor((i * samples.length) / bars); n < end; n += 4)
        peak = Math.max(peak, Math.abs(samples[n]));
      const height = Math.max(2 * scale, (peak / loudest) * tall);
      brush.fillStyle = style.getPropertyValue(i < played ? "--accent" : "--wave");
      brush.fillRect(Math.round((i * wide) / bars), (tall - height) / 2, bar, height);
    }
  }

  // Uploading

  async function upload(event) {
    event.preventDefault();
    const file = byId("clip").files[0];
    show("upload-problem", "");
    byId("upload-status").textContent = "Uploading…";
    const form = new FormData();
    form.append("name", byId("name").value);
    form.append("consent", String(byId("consent").checked));
    form.append("file", file);
    try {
      if (file.size > Number(byId("clip").dataset.most)) throw new Error("The clip is too large.");
      const added = await (await ask("v1/voices", { method: "POST", body: form })).json();
      event.target.reset();
      choose();
      await list(added.id);
      byId("upload-status").textContent = `${added.id} is chosen as voice.`;
    } catch (error) {
      byId("upload-status").textContent = "";
      show("upload-problem", error.message);
    }
  }

  function choose() {
    const preview = byId("preview");
    const file = byId("clip").files[0];
    if (preview.src) URL.revokeObjectURL(preview.src);
    preview.hidden = !file;
    if (!file) {
      preview.removeAttribute("src");
      return;
    }
    preview.src = URL.createObjectURL(file);
    const name = file.name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_-]+/g, "-");
    byId("name").value ||= name.replace(/^[-_]+|[-_]+$/g, "").slice(0, 64);
  }

  // Beginning

  const pace = (value) => (byId("pace").value = `${Number(value).toFixed(2)} ×`);
  const count = () => (byId("count").textContent = `${text.value.length} of ${text.maxLength}`);
  const begin = () => list().then(() => show("problem", ""), (error) => show("problem", error.message));
  text.addEventListener("input", count);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("speak").requestSubmit();
  });
  speed.addEventListener("input", () => {
    paced = true;
    pace(speed.value);
  });
  byId("speak").addEventListener("submit", speak);
  stop.addEventListener("click", () => {
    running?.abort();
    go.focus();
  });
  byId("clip").addEventListener("change", choose);
  byId("upload").addEventListener("submit", upload);
  byId("login")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const key = byId("key").value.trim();
    // As the server has it; with anything else the browser refuses to ask.
    if (!/^[!-~]+$/.test(key)) {
      show("problem", "This can't be the key: a key has ASCII letters, digits and signs only.");
      return;
    }
    sessionStorage.setItem("key", key);
    begin();
  });
  const redraw = () => clips.forEach(draw);
  window.addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  count();
  look().catch(() => {});
  if (!byId("login") || sessionStorage.getItem("key")) begin();
})();
