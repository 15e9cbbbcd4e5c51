"use strict";
// The cursor of the timeline follows the sound; a click on the picture or on a time moves the sound.
const facts = JSON.parse(document.getElementById("facts").textContent);
const sound = document.getElementById("sound");
const cursor = document.getElementById("cursor");
const view = document.querySelector(".picture");
const picture = document.getElementById("lanes");
const shownTime = document.getElementById("now");
const cards = Array.from(document.querySelectorAll("li[data-place]"));
let place = facts.origin;

const xOf = (moment) => facts.left + ((moment - facts.origin) / (facts.end - facts.origin)) * (facts.right - facts.left);
const placeOf = (x) => facts.origin + ((x - facts.left) / (facts.right - facts.left)) * (facts.end - facts.origin);

function words(seconds) {
  const tenths = Math.round(seconds * 10);
  const minutes = Math.floor(tenths / 600);
  const rest = (tenths % 600) / 10;
  if (minutes < 60) return minutes ? `${minutes}:${rest.toFixed(1).padStart(4, "0")}` : `${rest.toFixed(1)} s`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest.toFixed(1).padStart(4, "0")}`;
}

function show(moment, follow) {
  place = Math.min(Math.max(moment, facts.origin), facts.end);
  const x = xOf(place);
  cursor.setAttribute("x1", x + facts.margin);
  cursor.setAttribute("x2", x + facts.margin);
  cursor.classList.add("shown");
  shownTime.textContent = words(place);
  const offset = picture.getBoundingClientRect().left - view.getBoundingClientRect().left + view.scrollLeft;
  const left = x + offset;
  if (follow && (left < view.scrollLeft + facts.margin || left > view.scrollLeft + view.clientWidth - 40)) {
    view.scrollLeft = left - view.clientWidth / 4;
  }
  let current = null;
  for (const card of cards) if (Number(card.dataset.place) <= place + 0.05) current = card;
  for (const card of cards) card.classList.toggle("now", card === current);
}

function seek(moment) {
  show(moment, true);
  if (sound) sound.currentTime = Math.min(Math.max(moment - facts.soundOrigin, 0), facts.soundSeconds);
}

picture.addEventListener("click", (event) => {
  seek(placeOf(event.clientX - picture.getBoundingClientRect().left));
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-place]");
  if (button) seek(Number(button.dataset.place));
});
if (sound) {
  const follow = () => {
    show(facts.soundOrigin + sound.currentTime, true);
    if (!sound.paused && !sound.ended) requestAnimationFrame(follow);
  };
  sound.addEventListener("play", follow);
}
