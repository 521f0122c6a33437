// Three linked planes through the volumes of the #scene data block, on 2-D canvases.
// The data arrive with axis 0 towards the patient's right, 1 towards anterior, 2 towards superior (nearest axes).
// Every plane draws its axis u leftwards and its axis v upwards: the radiological view.
"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const root = find("viewer");
  if (!root) return;
  const scene = JSON.parse(find("scene").textContent);
  const UNDEFINED = -32768, BEYOND = 32767, SIZE = scene.shape, STRIDE = [1, SIZE[0], SIZE[0] * SIZE[1]];
  const EXTENT = SIZE.map((n, axis) => n * scene.spacing[axis]);
  const PLANES = [
    { name: "Coronal", u: 0, v: 2, w: 1, marks: "RLSI" },
    { name: "Sagittal", u: 1, v: 2, w: 0, marks: "APSI" },
    { name: "Axial", u: 0, v: 1, w: 2, marks: "RLAP" },
  ];
  const LETTERS = ["LR", "PA", "IS"];
  const { volumes, overlays } = scene;
  const at = SIZE.map((n) => n >> 1);
  let volume = volumes[0], active = PLANES[2], opacity = 0.4, lines = true, smooth = false;
  let drawn = false, saving = 0, laid = 0;

  async function unpack(item) {
    const packed = Uint8Array.from(atob(item.codes), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer()), half = bytes.length / 2;
    item.codes = new Int16Array(half);
    for (let k = 0; k < half; k++) item.codes[k] = bytes[k] | (bytes[half + k] << 8);
  }

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const index = (p) => p[0] * STRIDE[0] + p[1] * STRIDE[1] + p[2] * STRIDE[2];
  const through = (rows, p) => rows.map((r) => r[0] * p[0] + r[1] * p[1] + r[2] * p[2] + r[3]);
  const place = (mm) => mm.map((x, axis) => `${LETTERS[axis][x < 0 ? 0 : 1]} ${Math.abs(x).toFixed(1)}`).join("  ");

  function value(image, p) {
    const code = image.codes[index(p)];
    if (code === UNDEFINED) return "undefined here";
    const beyond = code === BEYOND ? "≥ " : code === -BEYOND ? "≤ " : "";
    return `${beyond}${(code * image.step + image.offset).toFixed(image.decimals)} ${image.unit}`;
  }
  function regions(p) {
    const hits = overlays.filter((o) => o.codes[index(p)]).map((o) => o.labels[o.codes[index(p)] - 1].name);
    return hits.join(", ") || "–";
  }

  function paint(plane) {
    const { u, v, w, picture } = plane, pixels = picture.data;
    const gain = (255 * volume.step) / (volume.high - volume.low);
    const base = (255 * (volume.offset - volume.low)) / (volume.high - volume.low);
    const shown = overlays.filter((o) => o.shown);
    let k = 0;
    for (let j = SIZE[v] - 1; j >= 0; j--) {
      for (let i = SIZE[u] - 1; i >= 0; i--, k += 4) {
        const q = i * STRIDE[u] + j * STRIDE[v] + at[w] * STRIDE[w], code = volume.codes[q];
        const grey = code === UNDEFINED ? 0 : clamp(code * gain + base, 0, 255);
        let red = grey, green = grey, blue = grey;
        for (const { codes, labels } of shown) {
          if (!codes[q]) continue;
          const outline = labels.length === 1;
          if (outline && i && j && i < SIZE[u] - 1 && j < SIZE[v] - 1 &&
            codes[q - STRIDE[u]] && codes[q + STRIDE[u]] && codes[q - STRIDE[v]] && codes[q + STRIDE[v]]) continue;
          const colour = labels[codes[q] - 1].colour, share = outline ? Math.sqrt(opacity) : opacity;
          red += share * (colour[0] - red); green += share * (colour[1] - green); blue += share * (colour[2] - blue);
        }
        pixels[k] = red; pixels[k + 1] = green; pixels[k + 2] = blue; pixels[k + 3] = 255;
      }
    }
    plane.sheet.getContext("2d").putImageData(picture, 0, 0);
    decorate(plane);
  }

  function decorate({ name, u, v, w, marks, sheet, canvas }) {
    const pen = canvas.getContext("2d"), dpr = window.devicePixelRatio || 1;
    const wide = canvas.width / dpr, high = canvas.height / dpr;
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.imageSmoothingEnabled = smooth;
    pen.drawImage(sheet, 0, 0, wide, high);
    if (lines) {
      const x = ((SIZE[u] - at[u] - 0.5) / SIZE[u]) * wide, y = ((SIZE[v] - at[v] - 0.5) / SIZE[v]) * high, gap = 7;
      pen.strokeStyle = "#3ddbd9"; pen.lineWidth = 1; pen.beginPath();
      pen.moveTo(0, y); pen.lineTo(x - gap, y); pen.moveTo(x + gap, y); pen.lineTo(wide, y);
      pen.moveTo(x, 0); pen.lineTo(x, y - gap); pen.moveTo(x, y + gap); pen.lineTo(x, high); pen.stroke();
    }
    const write = (text, x, y, align, baseline) => {
      pen.textAlign = align; pen.textBaseline = baseline; pen.lineWidth = 3; pen.lineJoin = "round";
      pen.strokeStyle = "rgb(0 0 0 / 75%)"; pen.strokeText(text, x, y);
      pen.fillStyle = "#f2f4f8"; pen.fillText(text, x, y);
    };
    pen.font = "600 15px system-ui, sans-serif";
    write(marks[0], 6, high / 2, "left", "middle"); write(marks[1], wide - 6, high / 2, "right", "middle");
    write(marks[2], wide / 2, 5, "center", "top"); write(marks[3], wide / 2, high - 5, "center", "bottom");
    pen.font = "12px system-ui, sans-serif";
    const mm = through(scene.affine, at)[w];
    const title = `${name}  ${LETTERS[w][mm < 0 ? 0 : 1]} ${Math.abs(mm).toFixed(1)}`;
    pen.fillStyle = "rgb(0 0 0 / 65%)"; pen.fillRect(0, 0, pen.measureText(title).width + 12, 20);
    write(title, 6, 4, "left", "top");
  }

  function report() {
    find("position").textContent = `${place(through(scene.affine, at))} mm`;
    find("voxel").textContent = through(scene.stored, at).join(", ");
    find("region").textContent = regions(at);
    volumes.forEach((image, k) => { find(`value-${k}`).textContent = value(image, at); });
    const places = volume.decimals < 2 ? volume.decimals : volume.decimals - 1;
    find("black").textContent = volume.low.toFixed(places);
    find("white").textContent = `${volume.high.toFixed(places)} ${volume.unit}`;
    find("level").value = (volume.low + volume.high) / 2;
    find("width").value = Math.log2((volume.high - volume.low) / volume.start[1]);
  }

  function redraw() {
    if (drawn) return;
    drawn = true;
    requestAnimationFrame(() => { drawn = false; PLANES.forEach(paint); report(); });
    clearTimeout(saving);
    saving = setTimeout(remember, 250);
  }
  function remember() {
    const [x, y, z] = through(scene.affine, at).map((mm) => mm.toFixed(2));
    const state = new URLSearchParams({ x, y, z, volume: volume.name, low: volume.low, high: volume.high });
    history.replaceState(null, "", `#${state}`);
  }
  function recall() {
    const state = new URLSearchParams(location.hash.slice(1));
    const mm = ["x", "y", "z"].map((axis) => parseFloat(state.get(axis)));
    if (!mm.every(Number.isFinite)) return;
    const A = scene.affine, off = mm.map((x, row) => x - A[row][3]);
    move(SIZE.map((_, c) => (A[0][c] * off[0] + A[1][c] * off[1] + A[2][c] * off[2]) / scene.spacing[c] ** 2));
    choose(Math.max(0, volumes.findIndex((image) => image.name === state.get("volume"))));
    const low = parseFloat(state.get("low")), high = parseFloat(state.get("high"));
    if (Number.isFinite(high - low) && high > low) setWindow((low + high) / 2, high - low);
  }

  function move(p) { p.forEach((x, axis) => { at[axis] = clamp(Math.round(x), 0, SIZE[axis] - 1); }); redraw(); }
  function step(axis, by) { move(at.map((x, k) => (k === axis ? x + by : x))); }
  function choose(k) {
    volume = volumes[k];
    const [centre, width] = volume.start;
    find("volume").value = k;
    Object.assign(find("level"), { min: centre - 2 * width, max: centre + 2 * width, step: width / 500 });
    redraw();
  }
  function setWindow(level, width) {
    const half = clamp(width, 2 * volume.step, 64 * volume.start[1]) / 2;
    [volume.low, volume.high] = [level - half, level + half];
    redraw();
  }
  const shift = (level, width) => {
    const [low, high] = [volume.low, volume.high];
    setWindow((low + high) / 2 + level * (high - low), (high - low) * 2 ** width);
  };
  function jump(overlay, label) { // to the region's voxel nearest to its centroid
    const voxels = [], sum = [0, 0, 0];
    overlay.codes.forEach((code, q) => {
      if (code !== label) return;
      const p = [q % SIZE[0], Math.floor(q / SIZE[0]) % SIZE[1], Math.floor(q / STRIDE[2])];
      voxels.push(p); p.forEach((x, axis) => { sum[axis] += x; });
    });
    const off = (x, axis) => ((x - sum[axis] / voxels.length) * scene.spacing[axis]) ** 2;
    const far = (p) => p.map(off).reduce((a, b) => a + b);
    move(voxels.reduce((best, p) => (far(p) < far(best) ? p : best)));
  }

  function pointed(plane, event) { // the voxel under the pointer
    const box = plane.canvas.getBoundingClientRect(), p = [...at];
    const across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
    p[plane.u] = clamp(SIZE[plane.u] - 1 - Math.floor(across * SIZE[plane.u]), 0, SIZE[plane.u] - 1);
    p[plane.v] = clamp(SIZE[plane.v] - 1 - Math.floor(down * SIZE[plane.v]), 0, SIZE[plane.v] - 1);
    return p;
  }
  function listen(plane) {
    const { canvas } = plane, touches = new Map();
    let rolled = 0;
    const roll = (distance, notch) => {
      rolled += distance;
      const slices = Math.trunc(rolled / notch);
      rolled -= slices * notch;
      if (slices) step(plane.w, -slices);
    };
    canvas.addEventListener("focus", () => { active = plane; });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => { // scrolls the page until the viewer has been clicked
      if (!root.contains(document.activeElement)) return;
      event.preventDefault();
      roll(event.deltaY * (event.deltaMode ? 40 : 1), 40);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      touches.set(event.pointerId, event.clientY);
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
      if (event.button === 0 && touches.size === 1) move(pointed(plane, event));
    });
    canvas.addEventListener("pointermove", (event) => {
      const p = pointed(plane, event);
      find("pointer").textContent = `${value(volume, p)}, ${regions(p)}`;
      if (!touches.has(event.pointerId)) return;
      const down = event.clientY - touches.get(event.pointerId);
      if (touches.size > 1) roll(down / touches.size, 8); // two fingers: slices
      else if (event.buttons & 2) shift(event.movementY / 300, event.movementX / 100); // right drag: window
      else move(p);
      touches.set(event.pointerId, event.clientY);
    });
    const lift = (event) => touches.delete(event.pointerId);
    canvas.addEventListener("pointerup", lift); canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("pointerleave", () => { find("pointer").textContent = "–"; });
  }

  function toggleOverlays() {
    const any = overlays.some((o) => o.shown);
    overlays.forEach((o, k) => { o.shown = !any; find(`overlay-${k}`).checked = o.shown; });
    redraw();
  }
  function reset() {
    volumes.forEach((image) => { [image.low, image.high] = image.first; });
    move(SIZE.map((n) => n >> 1));
  }
  const KEYS = {
    ArrowLeft: () => step(active.u, 1), ArrowRight: () => step(active.u, -1),
    ArrowUp: () => step(active.v, 1), ArrowDown: () => step(active.v, -1),
    PageUp: () => step(active.w, 1), PageDown: () => step(active.w, -1),
    "[": () => shift(0, -0.25), "]": () => shift(0, 0.25), "-": () => shift(-0.05, 0), "=": () => shift(0.05, 0),
    v: () => choose((volumes.indexOf(volume) + 1) % volumes.length), o: toggleOverlays, r: reset,
    c: () => { lines = !lines; redraw(); }, s: () => { smooth = !smooth; redraw(); },
  };

  function layout() { // one scale for the three planes: a millimetre is as long everywhere
    const room = root.clientWidth, dpr = window.devicePixelRatio || 1;
    if (room === laid) return; // a change of height is our own doing
    laid = room;
    const wide = room >= 680, tall = 0.9 * Math.max(window.innerHeight, 700);
    root.classList.toggle("wide", wide);
    const scale = wide
      ? Math.min((room - 44) / (EXTENT[0] + EXTENT[1]), tall / (EXTENT[1] + EXTENT[2]))
      : (0.86 * room) / Math.max(EXTENT[0], EXTENT[1]); // a strip beside the planes stays free to scroll the page
    PLANES.forEach(({ u, v, canvas }) => {
      const size = [EXTENT[u] * scale, EXTENT[v] * scale].map((x) => Math.max(24, Math.round(x)));
      [canvas.style.width, canvas.style.height] = size.map((x) => `${x}px`);
      [canvas.width, canvas.height] = size.map((x) => Math.round(x * dpr));
    });
    PLANES.forEach(paint); // at once: a resized canvas is empty, and this may run after the frame's callbacks
    redraw();
  }

  async function start() {
    if (!window.DecompressionStream) throw new Error("it cannot unpack compressed data");
    await Promise.all([...volumes, ...overlays].map(unpack));
    volumes.forEach((image) => {
      image.first = [image.low, image.high];
      image.start = [(image.low + image.high) / 2, image.high - image.low];
    });
    overlays.forEach((overlay, k) => {
      const box = find(`overlay-${k}`);
      overlay.shown = box.checked;
      box.addEventListener("change", () => { overlay.shown = box.checked; redraw(); });
    });
    for (const plane of PLANES) {
      plane.canvas = find(plane.name.toLowerCase());
      plane.sheet = document.createElement("canvas");
      [plane.sheet.width, plane.sheet.height] = [SIZE[plane.u], SIZE[plane.v]];
      plane.picture = new ImageData(SIZE[plane.u], SIZE[plane.v]);
      listen(plane);
    }
    for (const button of root.querySelectorAll("button[data-label]")) {
      const [k, label] = button.dataset.label.split(" ").map(Number), [r, g, b] = overlays[k].labels[label - 1].colour;
      button.style.borderLeftColor = `rgb(${r} ${g} ${b})`;
      button.addEventListener("click", () => jump(overlays[k], label));
    }
    find("volume").addEventListener("change", (event) => choose(Number(event.target.value)));
    find("level").addEventListener("input", (event) => setWindow(Number(event.target.value), volume.high - volume.low));
    find("width").addEventListener("input", (event) =>
      setWindow((volume.low + volume.high) / 2, volume.start[1] * 2 ** Number(event.target.value)));
    find("opacity").addEventListener("input", (event) => { opacity = Number(event.target.value); redraw(); });
    root.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
      if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
    });
    window.addEventListener("hashchange", recall);
    new ResizeObserver(layout).observe(root);
    choose(0); recall(); layout();
    root.dataset.state = "ready";
  }
  start().catch((error) => {
    root.dataset.state = "failed";
    find("message").textContent = `The viewer does not run in this browser (${error.message}); see the pictures below.`;
  });
})();
