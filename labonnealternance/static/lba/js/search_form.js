// The address of a search, which people share, holds what was chosen: no filter left at its empty choice. The fields
// stay as they are, for who comes back to the page. Without it those filters are in the address, and ask nothing.
document.querySelector(".search-form").addEventListener("formdata", (event) => {
  event.target.querySelectorAll("select").forEach((field) => {
    if (!field.value) event.formData.delete(field.name);
  });
});
