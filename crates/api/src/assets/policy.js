// Takes a policy out of a file into the form, and leads to what came of it.

const text = document.getElementById("text");
const file = document.getElementById("file");
const choose = document.getElementById("choose");
if (text && file && choose) {
  choose.hidden = false;
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    if (!chosen) return;
    if (chosen.size > text.maxLength) { file.setCustomValidity("The file is too large for a policy."); file.reportValidity(); return; }
    file.setCustomValidity("");
    text.value = await chosen.text();
    text.focus();
  });
}
document.querySelector("[data-focus]")?.focus();
