// Renews the figures in place: no jump, no lost focus, and a selected text stays selected.
const period = 10000;
const gone = document.getElementById("gone");

async function renew() {
  if (document.hidden) return;
  let fresh;
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(period) });
    if (!answer.ok) throw new Error("not a page");
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    gone.hidden = false;
    return;
  }
  gone.hidden = true;
  document.title = fresh.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (!next || inUse(part)) continue;
    part.className = next.className;
    if (part.innerHTML !== next.innerHTML) swap(part, next);
  }
}

// The headline is read out when it changes, so it stays where it is while it says the same.
function swap(part, next) {
  const kept = part.querySelector("[role=status]");
  const other = next.querySelector("[role=status]");
  if (kept && other) {
    if (kept.innerHTML !== other.innerHTML) kept.replaceChildren(...other.childNodes);
    while (kept.nextSibling) kept.nextSibling.remove();
    while (other.nextSibling) kept.parentNode.append(other.nextSibling);
  } else {
    part.replaceChildren(...next.childNodes);
  }
}

function inUse(part) {
  const chosen = getSelection();
  return part.contains(document.activeElement) || (!chosen.isCollapsed && part.contains(chosen.anchorNode));
}

setInterval(renew, period);
document.addEventListener("visibilitychange", renew);
