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
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = place.dataset.copied;
      } catch {
        // The browser does not allow it: what is selected can be copied by the keyboard.
        getSelection().selectAllChildren(document.getElementById(place.dataset.copies));
      }
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
