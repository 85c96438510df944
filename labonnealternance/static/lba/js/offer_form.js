// The form of an offer: once the job is known, its description and skills are fetched quietly. Without the script the
// server adds them when the page is sent. What the recruiter unticks goes with the form.
(() => {
  const form = document.querySelector("[data-job-sheet]");
  const place = document.getElementById("fiche");
  const status = document.getElementById("fiche-dite");
  let asking = null;

  async function describe() {
    asking?.abort();
    asking = new AbortController();
    const told = new URLSearchParams({ job: form.elements.job.value, ogr: form.elements.ogr.value });
    try {
      const answer = await fetch(`${form.dataset.jobSheet}?${told}`, { signal: asking.signal });
      if (!answer.ok) return;
      place.innerHTML = await answer.text();
      status.textContent = place.firstElementChild ? "La description du métier est ajoutée plus bas." : "";
    } catch {
      // Given up for a newer title, or no network: the offer gets its description when it is sent.
    }
  }

  document.getElementById("metier").addEventListener("change", describe);
})();
