"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const rows = [...byId("clips").children];
  const search = byId("search");
  const failed = byId("failed");
  const warned = byId("warned");
  const count = byId("count");
  const number = new Intl.NumberFormat("en");
  const texts = [];

  // Read one by one when they are first looked through: two thousand are slow to collect.
  const says = (i) =>
    (texts[i] ??= [...rows[i].querySelectorAll(".id, .text")].map((part) =>
      part.textContent.toLowerCase(),
    ));

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, i) => {
      const hit =
        (!failed.checked || row.classList.contains("bad")) &&
        (!warned.checked || row.classList.contains("warn")) &&
        (!wanted || says(i).some((part) => part.includes(wanted)));
      row.hidden = !hit;
      shown += hit;
    });
    report(shown);
  }

  function report(shown) {
    const all = number.format(rows.length);
    const some = rows.length === 1 ? "1 utterance" : `${all} utterances`;
    const part = shown === rows.length ? some : `${number.format(shown)} of ${all}`;
    count.textContent = part + count.dataset.where;
    byId("empty").hidden = shown > 0;
  }

  function progress(audio) {
    const wave = audio.parentElement.querySelector(".wave");
    if (!wave) return;
    let played = wave.children[1];
    if (!played) {
      played = wave.appendChild(wave.children[0].cloneNode(true));
      played.classList.add("played");
    }
    const part = audio.currentTime / (audio.duration || Number(audio.dataset.s) || 1);
    played.style.clipPath = `inset(0 ${100 * (1 - Math.min(1, part))}% 0 0)`;
  }

  let playing = null;
  function follow() {
    if (!playing) return;
    progress(playing);
    if (!playing.paused) requestAnimationFrame(follow);
  }

  // Media events don't bubble, so they are caught on their way down.
  document.addEventListener(
    "play",
    (event) => {
      if (playing && playing !== event.target) playing.pause();
      playing = event.target;
      requestAnimationFrame(follow);
    },
    true,
  );
  document.addEventListener("seeked", (event) => progress(event.target), true);

  byId("clips").addEventListener("click", (event) => {
    const wave = event.target.closest(".wave");
    const audio = wave?.parentElement.querySelector("audio");
    if (!audio) return;
    const box = wave.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    audio.currentTime = part * (audio.duration || Number(audio.dataset.s));
    // A file that is gone says so in its player.
    audio.play().catch(() => {});
  });

  for (const control of [search, failed, warned]) control.addEventListener("input", filter);
  document.querySelector(".tools").hidden = rows.length === 0;
  if (rows.length) filter();
})();
