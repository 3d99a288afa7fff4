// Shows what was asked for: words, kinds of gates, and cubicles. What is asked for stands in
// the address behind `#`, so that a view can be passed on.
"use strict";
const form = document.querySelector("form");
const words = document.querySelector("#find");
const choices = [...form.querySelectorAll("select")];
const borders = [...document.querySelectorAll(".border")];
const count = document.querySelector("#count");

function asked() {
  return new URLSearchParams(location.hash.slice(1));
}

function show() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(word => word !== "");
  const chosen = choices.filter(choice => choice.value !== "");
  let shown = 0, all = 0;
  for (const border of borders) {
    let some = false;
    for (const symbol of border.querySelectorAll(".symbol")) {
      const fits = wanted.every(word => symbol.dataset.text.includes(word))
        && chosen.every(choice => symbol.dataset[choice.id] === choice.value);
      symbol.hidden = !fits;
      some ||= fits;
      shown += fits;
      all += 1;
    }
    border.hidden = !some;
    // What was searched for is seen, without another click.
    border.open = some && (wanted.length > 0 || chosen.length > 0 || borders.length === 1);
  }
  count.textContent = `${shown} of ${all}`;
}

function read() {
  const values = asked();
  words.value = values.get("find") ?? "";
  for (const choice of choices) {
    choice.value = values.get(choice.id) ?? "";
  }
  show();
  const unfold = values.get("unfold");
  for (const symbol of document.querySelectorAll(".symbol")) {
    if (symbol.dataset.name === unfold) {
      symbol.open = true;
      symbol.closest(".border").open = true;
    }
  }
}

function write() {
  const values = new URLSearchParams();
  for (const field of [words, ...choices]) {
    if (field.value !== "") {
      values.set(field.id, field.value);
    }
  }
  history.replaceState(null, "", "#" + values);
  show();
}

form.addEventListener("input", write);
form.addEventListener("submit", event => event.preventDefault());
addEventListener("hashchange", read);
read();
