// The map of the results: Leaflet is loaded only when someone asks for it, tiles only where the settings name a server.
// The list under the map says all that the map shows.
(() => {
  const section = document.querySelector(".map");
  if (!section) return;
  const button = section.querySelector("button");
  const panel = document.getElementById(button.getAttribute("aria-controls"));
  const ground = panel.querySelector(".map__ground");
  const data = JSON.parse(document.getElementById("points").textContent);
  let loading = null;

  function load() {
    loading ??= new Promise((resolve, reject) => {
      const style = document.createElement("link");
      style.rel = "stylesheet";
      style.href = section.dataset.leafletCss;
      const script = document.createElement("script");
      script.src = section.dataset.leafletJs;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(style, script);
    });
    return loading;
  }

  // Results of one address share a pin: the second would lie on the first.
  function places() {
    const found = new Map();
    for (const point of data.points) {
      const key = point.at.join(" ");
      found.set(key, [...(found.get(key) ?? []), point]);
    }
    return [...found.values()];
  }

  function pin(points) {
    const [first] = points;
    const number = points.length > 1 ? `${first.number}+` : first.number;
    const icon = L.divIcon({ className: "map__pin", html: number, iconSize: [32, 32] });
    const marker = L.marker(first.at, { icon, title: points.map((each) => each.name).join("\n"), riseOnHover: true });
    marker.bindPopup(
      () => {
        const box = document.createElement("div");
        for (const point of points) {
          const link = document.createElement("a");
          link.href = point.url;
          link.textContent = `${point.number}. ${point.name}`;
          const detail = document.createElement("p");
          detail.textContent = point.detail;
          box.append(link, detail);
        }
        return box;
      },
      // Narrower than the map of a telephone, and beside its buttons.
      { maxHeight: 240, maxWidth: 220, autoPanPaddingTopLeft: [56, 8], autoPanPaddingBottomRight: [8, 8] },
    );
    const told = points.map((each) => `${each.number}. ${each.name}, ${each.detail}`).join(" ; ");
    marker.on("add", () => marker.getElement().setAttribute("aria-label", told));
    return marker;
  }

  function draw() {
    // Tiles are drawn for whole levels of zoom; the plain ground fits any.
    const zoomSnap = data.tiles ? 1 : 0.25;
    const map = L.map(ground, { zoomControl: false, scrollWheelZoom: false, attributionControl: false, zoomSnap });
    L.control.zoom({ zoomInTitle: "Zoomer", zoomOutTitle: "Dézoomer" }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    if (data.tiles) {
      L.control.attribution({ prefix: false }).addTo(map);
      L.tileLayer(data.tiles, { attribution: data.credit, maxZoom: 18 }).addTo(map);
    }
    const circle = L.circle(data.centre, { radius: data.radius_km * 1000, className: "map__circle", interactive: false });
    circle.addTo(map);
    L.marker(data.centre, {
      icon: L.divIcon({ className: "map__place", html: "", iconSize: [16, 16] }),
      interactive: false,
      keyboard: false,
    })
      .bindTooltip(data.place, { permanent: true, direction: "auto", offset: [8, 0] })
      .addTo(map);
    places().forEach((points) => pin(points).addTo(map));
    const spread = L.latLngBounds([data.centre, ...data.points.map((point) => point.at)]);
    // No pin under the buttons nor the scale.
    map.fitBounds(spread, { paddingTopLeft: [64, 32], paddingBottomRight: [32, 48], maxZoom: 14 });
    return map;
  }

  let map = null;

  async function toggle(open) {
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Masquer la carte" : "Afficher la carte";
    panel.hidden = !open;
    const address = new URL(location.href);
    if (open) address.searchParams.set("vue", "carte");
    else address.searchParams.delete("vue");
    history.replaceState(null, "", address);
    if (!open) return;
    try {
      await load();
      map ??= draw();
      map.invalidateSize();
    } catch {
      ground.textContent = "La carte n’a pas pu être chargée : la liste ci-dessous dit tout ce qu’elle montre.";
    }
  }

  button.addEventListener("click", () => toggle(panel.hidden));
  if (new URLSearchParams(location.search).get("vue") === "carte") toggle(true);
})();
