// Counts down how long a decision may still be undone. Without it the page says until when.
(() => {
  const clocks = [...document.querySelectorAll("[data-seconds]")].map((clock) => ({
    clock,
    end: performance.now() + Number(clock.dataset.seconds) * 1000,
  }));
  if (!clocks.length) return;
  const timer = setInterval(() => {
    let running = false;
    for (const { clock, end } of clocks) {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      clock.textContent = left ? ` (${left}\u00a0s)` : "";
      running ||= left > 0;
    }
    if (!running) clearInterval(timer);
  }, 1000);
})();
