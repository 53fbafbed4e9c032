// Texts to copy → a button beside each. Without this script they are selected by hand.
"use strict";
if (navigator.clipboard) {
  for (const text of document.querySelectorAll("main pre:not(.fault)")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not copied: select it";
      }
    });
    text.after(button);
  }
}
