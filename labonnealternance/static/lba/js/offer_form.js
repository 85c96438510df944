// The form of an offer: once the job is known, its description and skills are fetched quietly. Without the script the
// server adds them when the page is sent. What the recruiter unticks goes with the form.
(() => {
  const form = document.querySelector("[data-job-sheet]");
  const place = document.getElementById("fiche");
  const status = document.getElementById("fiche-dite");
  let asking = null;
  let described = told();

  function told() {
    return new URLSearchParams({ job: form.elements.job.value, ogr: form.elements.ogr.value }).toString();
  }

  async function describe() {
    // A choice is told twice: when it is made, and when the field is left. What was unticked meanwhile stays so.
    if (told() === described) return;
    described = told();
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.jobSheet}?${described}`, { signal: asking.signal });
      if (!answer.ok) return;
      place.innerHTML = await answer.text();
      status.textContent = place.firstElementChild ? "La description du métier est ajoutée plus bas." : "";
    } catch {
      // Given up for a newer title, or no network: the offer gets its description when it is sent.
    }
  }

  document.getElementById("metier").addEventListener("change", describe);
})();
