"use strict";
// The view of single stars: two linked panels (sky, colours), a posterior, and their keyboard.
(async () => {
  const byId = (id) => document.getElementById(id);
  const root = byId("view");
  if (!root) return;
  const fail = (words) => { byId("star").textContent = words; root.dataset.state = "failed"; };
  if (typeof DecompressionStream === "undefined") {
    fail("This browser is too old for the view of single stars (it lacks DecompressionStream).");
    return;
  }
  const unpack = async (id) => {
    const text = byId(id).textContent.trim();
    if (!text) return null;
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const stars = JSON.parse(new TextDecoder().decode(await unpack("stars-columns")));
  const densities = await unpack("stars-posteriors");
  const n = stars.id.length, nGroup = stars.groups.length, nBin = Math.max(stars.edges.length - 1, 0);
  const INK = "#1f2430", GREY = "#555c6b", LINE = "#d5d9e0";
  const best = stars.p.map((p) => p.indexOf(Math.max(...p)));
  // Probability of the nuclear stellar system: the sum over its groups.
  const nuclear = (p) => p.reduce((sum, v, g) => sum + (stars.groups[g].is_nuclear ? v : 0), 0);
  // A second cue beside the colour of a group, by the names that matplotlib has for them.
  const SYMBOLS = { o: "●", s: "■", "^": "▲", v: "▼", D: "◆", P: "✚", X: "✖" };
  const DASHES = { "-": [], "--": [7, 3], "-.": [7, 3, 2, 3], ":": [2, 3] };
  const trace = (pen, marker, x, y, r) => {
    // Corners lie outside the circle, for the same area; a marker without corners is a circle.
    const first = { s: Math.PI / 4, "^": -Math.PI / 2, v: Math.PI / 2, D: 0, P: 0, X: Math.PI / 4 }[marker];
    pen.beginPath();
    if (first === undefined) { pen.arc(x, y, r, 0, 6.2832); return; }
    const corners = "^v".includes(marker) ? 3 : 4, cross = "PX".includes(marker), steps = cross ? 2 * corners : corners;
    for (let k = 0; k < steps; k++) {
      const angle = first + 6.2832 * k / steps, out = cross && k % 2 ? 0.5 * r : 1.4 * r;
      pen.lineTo(x + out * Math.cos(angle), y + out * Math.sin(angle));
    }
    pen.closePath();
  };
  let selected = -1;
  let mode = "group";

  // Colours of the points.
  const ramp = (stops, t) => {
    const x = Math.min(Math.max(t, 0), 1) * (stops.length - 1), i = Math.min(Math.floor(x), stops.length - 2);
    const mix = stops[i].map((v, k) => Math.round(v + (stops[i + 1][k] - v) * (x - i)));
    return `rgb(${mix.join(",")})`;
  };
  const WARM = [[216, 205, 190], [235, 147, 127], [216, 84, 108], [154, 42, 107], [74, 21, 85]];
  const DUST = [[235, 207, 150], [204, 148, 80], [149, 90, 43], [84, 43, 22], [31, 14, 8]];
  const COLD = [[39, 73, 122], [79, 119, 163], [143, 169, 196], [204, 148, 80], [149, 90, 43]];
  const span = (values) => {
    const s = values.filter((v) => v !== null).sort((a, b) => a - b);
    return s.length ? [s[Math.floor(0.02 * (s.length - 1))], s[Math.floor(0.98 * (s.length - 1))]] : [0, 1];
  };
  const scaled = (values, stops) => {
    const [low, high] = span(values);
    return values.map((v) => (v === null ? "#bbb" : ramp(stops, (v - low) / (high - low || 1))));
  };
  const median = stars.quantiles.map((q) => q[2]);
  const MODES = {
    group: () => best.map((g) => stars.groups[g].colour),
    nuclear: () => stars.p.map((p) => ramp(WARM, nuclear(p))),
    distance: () => scaled(median, COLD),
    a_ks: () => scaled(stars.a_ks, DUST),
    evidence: () => scaled(stars.evidence, WARM),
  };
  let paint = MODES.group();

  const fit = (canvas) => {
    const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    const width = Math.max(Math.round(box.width), 50), height = Math.max(Math.round(box.height), 50);
    canvas.width = width * ratio; canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = "12px system-ui, sans-serif";
    return [pen, width, height];
  };
  const ticks = (low, high, wanted) => {
    const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) || raw;
    const found = [];
    for (let v = Math.ceil(low / step) * step; v <= high + 1e-9; v += step) found.push(+v.toFixed(8));
    return [found, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))];
  };

  class Panel {
    constructor(id, x, y, labels, flip, equal) {
      Object.assign(this, { canvas: byId(id), x, y, labels, flip, equal });
      this.margin = { left: 52, right: 10, top: 10, bottom: 40 };
      this.home();
      this.listen();
    }
    home() {
      const range = (values) => {
        const s = values.filter((v) => v !== null);
        const low = Math.min(...s), high = Math.max(...s), pad = 0.03 * (high - low || 1);
        return [low - pad, high + pad];
      };
      this.rx = range(this.x); this.ry = range(this.y);
      if (this.equal) {
        const { width, height } = this.size();
        const wide = (this.rx[1] - this.rx[0]) / width, tall = (this.ry[1] - this.ry[0]) / height;
        const grow = (r, f) => { const c = (r[0] + r[1]) / 2, h = (r[1] - r[0]) / 2 * f; return [c - h, c + h]; };
        if (wide > tall) this.ry = grow(this.ry, wide / tall); else this.rx = grow(this.rx, tall / wide);
      }
    }
    size() {
      const box = this.canvas.getBoundingClientRect(), m = this.margin;
      return { width: Math.max(box.width - m.left - m.right, 20), height: Math.max(box.height - m.top - m.bottom, 20) };
    }
    toPixel(i) { return [this.px(this.x[i]), this.py(this.y[i])]; }
    px(v) {
      const t = (v - this.rx[0]) / (this.rx[1] - this.rx[0]);
      return this.margin.left + this.size().width * (this.flip[0] ? 1 - t : t);
    }
    py(v) {
      const t = (v - this.ry[0]) / (this.ry[1] - this.ry[0]);
      return this.margin.top + this.size().height * (this.flip[1] ? t : 1 - t);
    }
    draw() {
      const [pen, width, height] = fit(this.canvas), m = this.margin, inner = this.size();
      pen.clearRect(0, 0, width, height);
      pen.fillStyle = GREY; pen.strokeStyle = LINE; pen.lineWidth = 1;
      const [tx, dx] = ticks(...this.rx, 5), [ty, dy] = ticks(...this.ry, 6);
      pen.textAlign = "center";
      for (const v of tx) {
        const p = this.px(v);
        pen.beginPath(); pen.moveTo(p, m.top); pen.lineTo(p, m.top + inner.height); pen.stroke();
        pen.fillText(v.toFixed(dx), p, height - 22);
      }
      pen.textAlign = "right";
      for (const v of ty) {
        const p = this.py(v);
        pen.beginPath(); pen.moveTo(m.left, p); pen.lineTo(m.left + inner.width, p); pen.stroke();
        pen.fillText(v.toFixed(dy), m.left - 6, p + 4);
      }
      pen.fillStyle = INK; pen.textAlign = "center";
      pen.fillText(this.labels[0], m.left + inner.width / 2, height - 6);
      pen.save(); pen.translate(13, m.top + inner.height / 2); pen.rotate(-Math.PI / 2);
      pen.fillText(this.labels[1], 0, 0); pen.restore();
      pen.save();
      pen.beginPath(); pen.rect(m.left, m.top, inner.width, inner.height); pen.clip();
      const size = n > 800 ? 2.2 : 3;
      pen.globalAlpha = 0.8;
      for (let i = 0; i < n; i++) {
        if (this.x[i] === null || this.y[i] === null) continue;
        const [a, b] = this.toPixel(i);
        pen.fillStyle = paint[i];
        trace(pen, mode === "group" ? stars.groups[best[i]].marker : "o", a, b, size); pen.fill();
      }
      pen.globalAlpha = 1;
      if (selected >= 0 && this.x[selected] !== null && this.y[selected] !== null) {
        const [a, b] = this.toPixel(selected);
        pen.strokeStyle = "#fff"; pen.lineWidth = 5; pen.beginPath(); pen.arc(a, b, 8, 0, 6.2832); pen.stroke();
        pen.strokeStyle = INK; pen.lineWidth = 2; pen.beginPath(); pen.arc(a, b, 8, 0, 6.2832); pen.stroke();
      }
      pen.restore();
    }
    nearest(px, py, accept = () => true, reach = 40) {
      let found = -1, least = reach * reach;
      for (let i = 0; i < n; i++) {
        if (this.x[i] === null || this.y[i] === null || !accept(i)) continue;
        const [a, b] = this.toPixel(i), d = (a - px) ** 2 + (b - py) ** 2;
        if (d < least) { least = d; found = i; }
      }
      return found;
    }
    shift(dx, dy) {
      const { width, height } = this.size();
      const sx = (this.rx[1] - this.rx[0]) / width * dx * (this.flip[0] ? 1 : -1);
      const sy = (this.ry[1] - this.ry[0]) / height * dy * (this.flip[1] ? -1 : 1);
      this.rx = this.rx.map((v) => v + sx); this.ry = this.ry.map((v) => v + sy);
      this.draw();
    }
    zoom(factor, px, py) {
      const { width, height } = this.size(), m = this.margin;
      let tx = (px - m.left) / width, ty = (py - m.top) / height;
      if (this.flip[0]) tx = 1 - tx;
      if (!this.flip[1]) ty = 1 - ty;
      const about = (r, t) => { const c = r[0] + t * (r[1] - r[0]); return [c + (r[0] - c) * factor, c + (r[1] - c) * factor]; };
      this.rx = about(this.rx, tx); this.ry = about(this.ry, ty);
      this.draw();
    }
    centre() { const s = this.size(); return [this.margin.left + s.width / 2, this.margin.top + s.height / 2]; }
    move(dx, dy) {
      // The nearest star in a direction from the one that is selected.
      const [px, py] = selected >= 0 && this.x[selected] !== null ? this.toPixel(selected) : this.centre();
      const ahead = (i) => {
        if (i === selected) return false;
        const [a, b] = this.toPixel(i), along = (a - px) * dx + (b - py) * dy;
        return along > 0.5 && Math.abs((a - px) * dy - (b - py) * dx) <= along;
      };
      const found = this.nearest(px, py, ahead, 1e4);
      if (found >= 0) select(found);
      return found;
    }
    keep() {
      // Bring the selected star into the panel.
      if (selected < 0 || this.x[selected] === null || this.y[selected] === null) return;
      const [a, b] = this.toPixel(selected), [cx, cy] = this.centre(), s = this.size();
      if (Math.abs(a - cx) > s.width / 2 || Math.abs(b - cy) > s.height / 2) this.shift(cx - a, cy - b);
    }
    listen() {
      const c = this.canvas, touches = new Map();
      let moved = 0, spread = 0;
      const at = (e) => { const box = c.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
      c.addEventListener("pointerdown", (e) => {
        c.setPointerCapture(e.pointerId); touches.set(e.pointerId, at(e)); moved = 0; spread = 0;
      });
      c.addEventListener("pointermove", (e) => {
        if (!touches.has(e.pointerId)) return;
        const before = touches.get(e.pointerId), now = at(e);
        touches.set(e.pointerId, now);
        if (touches.size === 2) {
          const [p, q] = [...touches.values()], d = Math.hypot(p[0] - q[0], p[1] - q[1]);
          if (spread > 0 && d > 0) this.zoom(spread / d, (p[0] + q[0]) / 2, (p[1] + q[1]) / 2);
          spread = d; moved = 99;
        } else {
          moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
          if (moved > 4) this.shift(now[0] - before[0], now[1] - before[1]);
        }
      });
      const up = (e) => {
        if (!touches.delete(e.pointerId) || moved > 4 || e.type === "pointercancel") return;
        const found = this.nearest(...at(e));
        if (found >= 0) select(found);
      };
      c.addEventListener("pointerup", up);
      c.addEventListener("pointercancel", up);
      c.addEventListener("wheel", (e) => {
        // Plain scrolling moves the page unless the panel is in use.
        if (document.activeElement !== c && !e.ctrlKey) return;
        e.preventDefault(); this.zoom(e.deltaY > 0 ? 1.2 : 1 / 1.2, ...at(e));
      }, { passive: false });
      c.addEventListener("dblclick", (e) => this.zoom(0.5, ...at(e)));
      c.addEventListener("keydown", (e) => {
        const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
        const about = selected >= 0 && this.x[selected] !== null ? this.toPixel(selected) : this.centre();
        if (arrows[e.key] && e.shiftKey) this.shift(...arrows[e.key].map((v) => -40 * v));
        else if (arrows[e.key]) this.move(...arrows[e.key]);
        else if (e.key === "+" || e.key === "=") this.zoom(1 / 1.4, ...about);
        else if (e.key === "-") this.zoom(1.4, ...about);
        else if (e.key === "0" || e.key === "Home") { this.home(); this.draw(); }
        else return;
        e.preventDefault();
      });
    }
  }

  // The posterior over the distance.
  const posterior = byId("posterior");
  const WHOLE = [0, 16], CENTRE = [7, 9.4];
  const range = () => {
    const choice = byId("range").value;
    if (choice !== "auto") return choice === "all" ? WHOLE : CENTRE;
    const q = selected >= 0 ? stars.quantiles[selected] : null;
    return q && q[0] > CENTRE[0] && q[4] < CENTRE[1] ? CENTRE : WHOLE;
  };
  const drawPosterior = () => {
    const [pen, width, height] = fit(posterior), m = { left: 14, right: 14, top: 24, bottom: 40 };
    pen.clearRect(0, 0, width, height);
    const [low, high] = range(), wide = width - m.left - m.right, tall = height - m.top - m.bottom;
    const px = (v) => m.left + wide * (v - low) / (high - low);
    pen.fillStyle = GREY; pen.strokeStyle = LINE; pen.textAlign = "center";
    for (const v of ticks(low, high, 8)[0]) {
      pen.beginPath(); pen.moveTo(px(v), m.top); pen.lineTo(px(v), m.top + tall); pen.stroke();
      pen.fillText(String(v), px(v), height - 22);
    }
    pen.fillStyle = INK; pen.fillText("distance [kpc]", m.left + wide / 2, height - 6);
    if (selected < 0) return;
    const q = stars.quantiles[selected];
    const curves = density(selected);
    if (curves) {
      let largest = 0;
      for (const c of curves) c.forEach((v, k) => { if (stars.edges[k + 1] > low && stars.edges[k] < high) largest = Math.max(largest, v); });
      const py = (v) => m.top + tall * (1 - 0.94 * v / (largest || 1));
      pen.save(); pen.beginPath(); pen.rect(m.left, m.top - 2, wide, tall + 4); pen.clip();
      curves.forEach((c, g) => {
        pen.beginPath(); pen.moveTo(px(stars.edges[0]), py(0));
        for (let k = 0; k < nBin; k++) { pen.lineTo(px(stars.edges[k]), py(c[k])); pen.lineTo(px(stars.edges[k + 1]), py(c[k])); }
        pen.lineTo(px(stars.edges[nBin]), py(0));
        pen.globalAlpha = 0.18; pen.fillStyle = stars.groups[g].colour; pen.fill();
        pen.globalAlpha = 1; pen.strokeStyle = stars.groups[g].colour; pen.lineWidth = 1.6;
        pen.setLineDash(DASHES[stars.groups[g].dash] || []); pen.stroke(); pen.setLineDash([]);
      });
      pen.restore();
    }
    // 90 and 68 % intervals and the median, above the curves.
    const clamp = (v) => Math.min(Math.max(px(v), m.left), m.left + wide);
    pen.strokeStyle = INK;
    for (const [a, b, w] of [[0, 4, 2], [1, 3, 5]]) {
      pen.lineWidth = w; pen.beginPath(); pen.moveTo(clamp(q[a]), 12); pen.lineTo(clamp(q[b]), 12); pen.stroke();
    }
    if (q[2] >= low && q[2] <= high) {
      pen.fillStyle = "#fff"; pen.lineWidth = 2; pen.beginPath(); pen.arc(px(q[2]), 12, 5, 0, 6.2832); pen.fill(); pen.stroke();
    }
    const d = stars.distance[selected];
    if (d >= low && d <= high) {
      pen.setLineDash([4, 3]); pen.lineWidth = 1.4; pen.strokeStyle = INK;
      pen.beginPath(); pen.moveTo(px(d), m.top); pen.lineTo(px(d), m.top + tall); pen.stroke(); pen.setLineDash([]);
    }
  };
  const density = (i) => {
    // Per group and bin, relative to the largest; null without a posterior.
    if (!densities || !nBin) return null;
    const start = i * nGroup * nBin, part = densities.subarray(start, start + nGroup * nBin);
    if (!part.some((v) => v > 0)) return null;
    return Array.from({ length: nGroup }, (_, g) => Array.from(part.subarray(g * nBin, (g + 1) * nBin), (v) => (v / 255) ** 2));
  };

  const show = (value, digits) => (value === null ? "–" : value.toFixed(digits));
  const cell = (tag, text) => { const e = document.createElement(tag); e.textContent = text; return e; };
  const line = (...cells) => {
    const row = document.createElement("tr");
    cells.forEach((text, i) => { const e = cell(i ? "td" : "th", text); if (!i) e.scope = "row"; row.append(e); });
    return row;
  };
  const flagWords = (flags) => Object.entries(stars.flag_names).filter(([bit]) => flags & +bit).map(([, name]) => name).join(", ") || "none";
  const describe = () => {
    const box = byId("star");
    box.replaceChildren();
    if (selected < 0) { box.textContent = "No star is selected."; return; }
    const i = selected, q = stars.quantiles[i];
    const intro = cell("p", "");
    intro.append(cell("strong", `Star ${stars.id[i]}`));
    const chance = stars.groups.map((g, k) => [stars.p[i][k], `${g.label} ${(100 * stars.p[i][k]).toFixed(1)} %`]).sort((a, b) => b[0] - a[0]);
    intro.append(`, number ${i + 1} of ${n}, l = ${show(stars.l[i], 4)}, b = ${show(stars.b[i], 4)} deg. ${chance.map((c) => c[1]).join(", ")}. `
      + `Distance ${show(q[2], 2)} kpc (68 %: ${show(q[1], 2)} to ${show(q[3], 2)}; 90 %: ${show(q[0], 2)} to ${show(q[4], 2)}). `
      + `Star that was drawn: ${stars.components[stars.component[i]]} at ${show(stars.distance[i], 2)} kpc, A(Ks) ${show(stars.a_ks[i], 2)} mag. `
      + `ln evidence ${show(stars.evidence[i], 1)}. Flags: ${flagWords(stars.flags[i])}.`);
    if (densities && !density(i)) intro.append(" No posterior: the star was not found in the input.");
    const table = document.createElement("table"), head = document.createElement("tr");
    ["", ...stars.bands].forEach((b) => { const e = cell("th", b); e.scope = "col"; head.append(e); });
    const body = document.createElement("tbody");
    if (stars.observed[i].some((v) => v !== null)) {
      body.append(line("observed", ...stars.observed[i].map((v, k) => (v === null ? "–" : `${v.toFixed(2)} ± ${show(stars.error[i][k], 2)}`))));
    }
    body.append(line("drawn", ...stars.drawn[i].map((v) => show(v, 2))));
    const thead = document.createElement("thead"); thead.append(head); table.append(thead, body);
    box.append(intro, table);
  };
  const select = (i) => {
    selected = i;
    byId("number").value = i + 1;
    root.dataset.selected = stars.id[i];
    describe();
    panels.forEach((p) => { p.keep(); p.draw(); });
    drawPosterior();
  };

  const words = stars.what;
  const panels = [
    new Panel("panel-sky", stars.l, stars.b, ["l [deg]", "b [deg]"], [true, false], true),
    new Panel("panel-colours", stars.colour, stars.bright, [`${stars.colour_label}, ${words} [mag]`, `${stars.bright_label}, ${words} [mag]`], [false, true], false),
  ];
  const redraw = () => { panels.forEach((p) => { p.draw(); }); drawPosterior(); };
  byId("number").max = n;
  byId("number").addEventListener("change", (e) => {
    const i = Math.round(+e.target.value) - 1;
    if (i >= 0 && i < n) select(i); else if (selected >= 0) e.target.value = selected + 1;
  });
  byId("previous").addEventListener("click", () => select((selected + n - 1 + (selected < 0)) % n));
  byId("next").addEventListener("click", () => select((selected + 1) % n));
  byId("home").addEventListener("click", () => { panels.forEach((p) => { p.home(); }); redraw(); });
  byId("range").addEventListener("change", drawPosterior);
  byId("colour-by").addEventListener("change", (e) => {
    mode = e.target.value; paint = MODES[mode]();
    byId("legend").hidden = mode !== "group";
    redraw();
  });
  const legend = byId("legend");
  stars.groups.forEach((g) => {
    const item = document.createElement("span"), dot = document.createElement("i");
    dot.style.color = g.colour; dot.textContent = SYMBOLS[g.marker] || SYMBOLS.o; item.append(dot, g.label); legend.append(item);
  });
  // The table is made when it is asked for: thousands of rows would slow the page down.
  byId("star-table").addEventListener("toggle", (e) => {
    const body = byId("star-rows");
    if (!e.target.open || body.children.length) return;
    for (let i = 0; i < n; i++) {
      body.append(line(stars.id[i], show(stars.l[i], 3), show(stars.b[i], 3), show(stars.colour[i], 2), show(stars.bright[i], 2),
        ...stars.p[i].map((v) => show(v, 2)), show(stars.quantiles[i][1], 2), show(median[i], 2), show(stars.quantiles[i][3], 2)));
    }
  });
  let waiting = 0;
  window.addEventListener("resize", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(redraw); });
  window.addEventListener("beforeprint", redraw);
  // Begin with a star that is likely nuclear, if there is one.
  const start = stars.p.map((p, i) => [nuclear(p), i]).sort((a, b) => b[0] - a[0])[Math.floor(n / 50)][1];
  select(start);
  root.dataset.state = "ready";
})();
