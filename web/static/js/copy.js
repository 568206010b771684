// Buttons that copy, download and print what is shown once. Without scripts it can be selected.
for (const place of document.querySelectorAll("[data-copies]")) {
  const text = document.getElementById(place.dataset.copies).textContent;
  const add = (label, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "outline";
    button.textContent = label;
    button.addEventListener("click", () => act(button));
    place.append(button);
  };
  if (navigator.clipboard) {
    add(place.dataset.copy, async (button) => {
      await navigator.clipboard.writeText(text);
      button.textContent = place.dataset.copied;
    });
  }
  if (place.dataset.file) {
    add(place.dataset.download, () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/plain" }));
      link.download = place.dataset.file;
      link.click();
      URL.revokeObjectURL(link.href);
    });
    add(place.dataset.print, () => print());
  }
}
